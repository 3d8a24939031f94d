#include "fjord/autodiff/ops/activation.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd_exponential.hpp"
#include "fjord/autodiff/kernels/tanh.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/rules/choice.hpp"
#include "fjord/autodiff/rules/elementwise.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

template <class T>
using Batch = simd::Batch<T>;

struct HyperbolicTangent : Tanh {
  template <class V>
  static V curvature(const V&, const V& y, const V& s) {
    return Tanh::curvature(y, s);
  }
};

struct Sigmoid {
  static constexpr const char* name = "sigmoid";

  template <class T>
  static ValueAndSlope<T> both(const Batch<T>& x) {
    const Batch<T> one(T(1));
    const Batch<T> e = simd::exp(-xsimd::abs(x));
    const Batch<T> r = one / (one + e);
    return {xsimd::select(x < Batch<T>(T(0)), e * r, r), e * r * r};
  }

  // 1 - 2 y as -tanh(x / 2), which keeps its digits near 0.
  template <class T>
  static Batch<T> curvature(const Batch<T>& x, const Batch<T>&, const Batch<T>& s) {
    return -(Tanh::both(x * T(0.5)).value * s);
  }

  template <class T>
  static Var<T> curvature(const Var<T>& x, const Var<T>&, const Var<T>& s) {
    return -(tanh(x * T(0.5)) * s);
  }
};

template <class T>
Batch<T> sigmoid(const Batch<T>& x) {
  return Sigmoid::both(x).value;
}

struct Softplus {
  static constexpr const char* name = "softplus";

  template <class T>
  static Batch<T> value(const Batch<T>& x) {
    return xsimd::max(x, Batch<T>(T(0))) + xsimd::log1p(simd::exp(-xsimd::abs(x)));
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return sigmoid(x);
  }
};

struct Relu {
  static constexpr const char* name = "relu";

  template <class V>
  static V value(const V& x) {
    return choose(x <= constant(x, 0), constant(x, 0), x);  // NaN stays
  }

  template <class V>
  static V carry(const V& g, const V& x) {
    const V zero = constant(x, 0);
    // At 0 the derivative is 0 by convention, not because nothing depends on it.
    return choose(x < zero, masked_like(g), choose(x <= zero, scaled(g, 0), g));
  }
};

template <class T>
Batch<T> exponential(const Batch<T>& x) {
  return simd::exp(x);
}

template <class T>
Var<T> exponential(const Var<T>& x) {
  return exp(x);
}

struct Elu {
  static constexpr const char* name = "elu";

  template <class T>
  static Batch<T> value(const Batch<T>& x) {
    return xsimd::select(x > Batch<T>(T(0)), x, xsimd::expm1(x));
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return choose(x > constant(x, 0), constant(x, 1), exponential(x));
  }
};

// s x, where s vanishes at infinity and its product with x, too.
template <class T>
Batch<T> vanishing_times(const Batch<T>& s, const Batch<T>& x) {
  return xsimd::select(s == Batch<T>(T(0)), s, s * x);
}

template <class T>
Var<T> vanishing_times(const Var<T>& s, const Var<T>& x) {
  return where(equal(s, 0), s, s * x);
}

struct Silu {
  static constexpr const char* name = "silu";

  template <class T>
  static Batch<T> value(const Batch<T>& x) {
    // x e^x would be -inf * 0 at -inf, where the limit is 0.
    return xsimd::select(x == Batch<T>(-std::numeric_limits<T>::infinity()), Batch<T>(T(0)),
                         x * sigmoid(x));
  }

  template <class T>
  static Batch<T> slope(const Batch<T>& x, const Batch<T>&) {
    const auto [p, s] = Sigmoid::both(x);
    return p + vanishing_times(s, x);
  }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    const auto [p, s] = Paired<T, Sigmoid>::both(x);
    return p + vanishing_times(s, x);
  }
};

template <class T>
Batch<T> normal_cdf(const Batch<T>& x) {
  std::array<T, Batch<T>::size> lanes;
  x.store_unaligned(lanes.data());
  // erfc keeps the digits of the lower tail; a vector form of it that does is not at hand.
  for (T& v : lanes) v = T(0.5) * std::erfc(v * T(-0.70710678118654752440));
  return Batch<T>::load_unaligned(lanes.data());
}

constexpr double inverse_root_two_pi = 0.39894228040143267794;

template <class V>
V normal_density(const V& x) {
  return exponential((x * x) * -0.5) * inverse_root_two_pi;
}

template <>
Batch<float> normal_density(const Batch<float>& x) {
  return simd::exp(x * x * -0.5f) * static_cast<float>(inverse_root_two_pi);
}

template <>
Var<float> normal_density(const Var<float>& x) {
  return exp((x * x) * -0.5f) * static_cast<float>(inverse_root_two_pi);
}

struct NormalCdf {
  static constexpr const char* name = "normal_cdf";

  template <class V>
  static V value(const V& x) {
    return normal_cdf(x);
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return normal_density(x);
  }
};

struct Gelu {
  static constexpr const char* name = "gelu";

  template <class T>
  static Batch<T> value(const Batch<T>& x) {
    return xsimd::select(x == Batch<T>(-std::numeric_limits<T>::infinity()), Batch<T>(T(0)),
                         x * normal_cdf(x));
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return normal_cdf(x) + vanishing_times(normal_density(x), x);
  }
};

struct Softsign {
  static constexpr const char* name = "softsign";

  template <class T>
  static Batch<T> value(const Batch<T>& x) {
    const Batch<T> a = xsimd::abs(x);
    const Batch<T> y = x / (T(1) + a);
    return xsimd::select(a == Batch<T>(std::numeric_limits<T>::infinity()),
                         xsimd::copysign(Batch<T>(T(1)), x), y);
  }

  template <class V>
  static V slope(const V& x, const V&) {
    using xsimd::abs;
    const V r = constant(x, 1) / (abs(x) + constant(x, 1));
    return r * r;
  }
};

// x where an exponential of it is chosen, which elsewhere could overflow.
template <class T>
Var<T> up_to_zero(const Var<T>& x) {
  return where(x > 0, x.tape().scalar(0), x);
}

}  // namespace

template <class T>
Var<T> tanh(const Var<T>& x) {
  return Paired<T, HyperbolicTangent>::apply(x);
}

template <class T>
Var<T> sigmoid(const Var<T>& x) {
  return Paired<T, Sigmoid>::apply(x);
}

template <class T>
Var<T> log_sigmoid(const Var<T>& x) {
  return -softplus(-x);
}

template <class T>
Var<T> softplus(const Var<T>& x) {
  return Unary<T, Softplus>::apply(x);
}

template <class T>
Var<T> elu(const Var<T>& x) {
  return Unary<T, Elu>::apply(x);
}

template <class T>
Var<T> relu(const Var<T>& x) {
  return Choice<T, Relu>::apply(x);
}

template <class T>
Var<T> leaky_relu(const Var<T>& x, std::type_identity_t<T> slope) {
  return where(x > 0, x, x * slope);
}

template <class T>
Var<T> celu(const Var<T>& x, std::type_identity_t<T> alpha) {
  require(alpha > 0, "celu",
          [&] { return "alpha must be positive, got " + std::to_string(alpha); });
  return where(x > 0, x, expm1(up_to_zero(x) / alpha) * alpha);
}

template <class T>
Var<T> selu(const Var<T>& x) {
  constexpr double factor = 1.0507009873554804934;
  constexpr double alpha = 1.6732632423543772848;
  return where(x > 0, x * static_cast<T>(factor),
               expm1(up_to_zero(x)) * static_cast<T>(factor * alpha));
}

template <class T>
Var<T> mish(const Var<T>& x) {
  // Beyond these numbers the second factor has long been 0 or 1, and infinity times its slope NaN.
  const Var<T> kept = maximum(x, T(-1000));
  return kept * tanh(softplus(minimum(kept, T(1000))));
}

template <class T>
Var<T> softsign(const Var<T>& x) {
  return Unary<T, Softsign>::apply(x);
}

template <class T>
Var<T> silu(const Var<T>& x) {
  return Unary<T, Silu>::apply(x);
}

template <class T>
Var<T> gelu(const Var<T>& x) {
  return Unary<T, Gelu>::apply(x);
}

template <class T>
Var<T> normal_cdf(const Var<T>& x) {
  return Unary<T, NormalCdf>::apply(x);
}

#define FJORD_INSTANTIATE(T)                                             \
  template Var<T> tanh(const Var<T>&);                                   \
  template Var<T> sigmoid(const Var<T>&);                                \
  template Var<T> softplus(const Var<T>&);                               \
  template Var<T> log_sigmoid(const Var<T>&);                            \
  template Var<T> relu(const Var<T>&);                                   \
  template Var<T> leaky_relu<T>(const Var<T>&, std::type_identity_t<T>); \
  template Var<T> elu(const Var<T>&);                                    \
  template Var<T> celu<T>(const Var<T>&, std::type_identity_t<T>);       \
  template Var<T> selu(const Var<T>&);                                   \
  template Var<T> mish(const Var<T>&);                                   \
  template Var<T> softsign(const Var<T>&);                               \
  template Var<T> silu(const Var<T>&);                                   \
  template Var<T> gelu(const Var<T>&);                                   \
  template Var<T> normal_cdf(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
