#include "fjord/autodiff/ops/trigonometric.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/kernels/half_turns.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/elementwise.hpp"
#include "fjord/autodiff/rules/one_minus_square.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct Sine {
  static constexpr const char* name = "sin";

  template <class V>
  static V value(const V& x) {
    return xsimd::sin(x);
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return cos(x);
  }
};

struct Cosine {
  static constexpr const char* name = "cos";

  template <class V>
  static V value(const V& x) {
    return xsimd::cos(x);
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return -sin(x);
  }
};

struct Tangent {
  static constexpr const char* name = "tan";

  static double value(double x) { return std::tan(x); }

  template <class V>
  static V slope(const V&, const V& y) {
    return 1 + square(y);
  }
};

template <class T>
Var<T> inverse_complement(const Var<T>& x) {
  return rsqrt(one_minus_square(x));
}

struct ArcSine {
  static constexpr const char* name = "asin";

  static double value(double x) { return std::asin(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return inverse_complement(x);
  }
};

struct ArcCosine {
  static constexpr const char* name = "acos";

  static double value(double x) { return std::acos(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return -inverse_complement(x);
  }
};

struct ArcTangent {
  static constexpr const char* name = "atan";

  static double value(double x) { return std::atan(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return square(reciprocal(hypot(x, x.tape().scalar(1))));  // x^2 + 1 would overflow
  }
};

// The coordinate x as a share of the radius: of an infinite coordinate its limit, at the origin 0.
template <class T>
Var<T> share(const Var<T>& x, const Var<T>& radius) {
  return where(equal(abs(x), std::numeric_limits<T>::infinity()), sign(x),
               quotient_of_zeros(x, radius));
}

struct Hypotenuse {
  static constexpr const char* name = "hypot";

  static double value(double a, double b) { return std::hypot(a, b); }

  template <class V>
  static V slope_a(const V& a, const V& b, const V& y) {
    return slope(a, b, y);
  }

  template <class V>
  static V slope_b(const V& a, const V& b, const V& y) {
    return slope(b, a, y);
  }

 private:
  // Where a is the longer side, 1/y - a^2/y^3, the derivative of a/y, would cancel.
  template <class V>
  static V slope(const V& a, const V& b, const V& y) {
    return where(abs(a) > abs(b), sign(a) * rsqrt(square(b / a) + 1), share(a, y));
  }
};

struct Angle {
  static constexpr const char* name = "atan2";

  static double value(double y, double x) { return std::atan2(y, x); }

  template <class V>
  static V slope_a(const V& y, const V& x, const V&) {
    const V radius = hypot(x, y);
    return quotient_of_zeros(share(x, radius), radius);
  }

  template <class V>
  static V slope_b(const V& y, const V& x, const V&) {
    const V radius = hypot(x, y);
    return -quotient_of_zeros(share(y, radius), radius);
  }
};

// j_n(t) = t^n / (2n+1)!! (1 - t^2/2 / (2n+3) + (t^2/2)^2 / (2! (2n+3) (2n+5)) - ...)
double bessel_series(int n, double t) {
  double term = 1;
  for (int k = 1; k <= n; ++k) term *= t / (2 * k + 1);
  double sum = term;
  for (int k = 1; std::abs(term) > 1e-18 * std::abs(sum); ++k) {
    term *= -0.5 * t * t / (k * (2 * (n + k) + 1));
    sum += term;
  }
  return sum;
}

// The spherical Bessel functions j_n(pi x), of which sinc is the first: their derivatives are
// combinations of themselves, without the quotients that lose all digits at 0.
// Source: DLMF 10.51 (recurrences) and 10.53 (series).
struct SphericalBessel {
  static constexpr const char* name = "sinc";

  static double value(int n, double x) {
    if (std::isinf(x)) return 0;
    const double t = std::numbers::pi * std::abs(x);
    const double side = x < 0 && n % 2 == 1 ? -1 : 1;
    if (t < n + 1) return side * bessel_series(n, t);
    double before = cos_pi(x) / t;
    double now = sin_pi(std::abs(x)) / t;
    for (int k = 0; k < n; ++k) {
      const double next = (2 * k + 1) / t * now - before;
      before = now;
      now = next;
    }
    return side * now;
  }

  template <class T>
  static Var<T> slope(int n, const Var<T>& x, const Var<T>&) {
    const Var<T> higher =
        bessel(n + 1, x) * static_cast<T>(std::numbers::pi * (n + 1) / (2 * n + 1));
    if (n == 0) return -higher;
    return bessel(n - 1, x) * static_cast<T>(std::numbers::pi * n / (2 * n + 1)) - higher;
  }

 private:
  template <class T>
  static Var<T> bessel(int n, const Var<T>& x) {
    return ScalarFamily<T, SphericalBessel>::apply(n, x);
  }
};

}  // namespace

template <class T>
Var<T> sin(const Var<T>& x) {
  return Unary<T, Sine>::apply(x);
}

template <class T>
Var<T> cos(const Var<T>& x) {
  return Unary<T, Cosine>::apply(x);
}

template <class T>
Var<T> tan(const Var<T>& x) {
  return ScalarUnary<T, Tangent>::apply(x);
}

template <class T>
Var<T> asin(const Var<T>& x) {
  return ScalarUnary<T, ArcSine>::apply(x);
}

template <class T>
Var<T> acos(const Var<T>& x) {
  return ScalarUnary<T, ArcCosine>::apply(x);
}

template <class T>
Var<T> atan(const Var<T>& x) {
  return ScalarUnary<T, ArcTangent>::apply(x);
}

template <class T>
Var<T> atan2(const Var<T>& y, const Var<T>& x) {
  return ScalarBinary<T, Angle>::apply(y, x);
}

template <class T>
Var<T> hypot(const Var<T>& a, const Var<T>& b) {
  return ScalarBinary<T, Hypotenuse>::apply(a, b);
}

template <class T>
Var<T> sinc(const Var<T>& x) {
  return ScalarFamily<T, SphericalBessel>::apply(0, x);
}

#define FJORD_INSTANTIATE(T)                           \
  template Var<T> sin(const Var<T>&);                  \
  template Var<T> cos(const Var<T>&);                  \
  template Var<T> tan(const Var<T>&);                  \
  template Var<T> asin(const Var<T>&);                 \
  template Var<T> acos(const Var<T>&);                 \
  template Var<T> atan(const Var<T>&);                 \
  template Var<T> atan2(const Var<T>&, const Var<T>&); \
  template Var<T> hypot(const Var<T>&, const Var<T>&); \
  template Var<T> sinc(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
