#include "fjord/autodiff/ops/exponential.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/kernels/simd_exponential.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/elementwise.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct Exponential {
  static constexpr const char* name = "exp";

  template <class V>
  static V value(const V& x) {
    return simd::exp(x);
  }

  template <class V>
  static V slope(const V&, const V& y) {
    return y;
  }
};

struct Logarithm {
  static constexpr const char* name = "log";

  template <class V>
  static V value(const V& x) {
    return simd::log(x);
  }

  template <class T>
  static simd::Batch<T> slope(const simd::Batch<T>& x, const simd::Batch<T>&) {
    return T(1) / x;
  }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return reciprocal(x);
  }
};

struct PowerOfTwo {
  static constexpr const char* name = "exp2";

  static double value(double x) { return std::exp2(x); }

  // Half of y, which may overflow where the derivative does not.
  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return exp2(x - T(1)) * (2 * std::numbers::ln2_v<T>);
  }
};

struct ExponentialMinusOne {
  static constexpr const char* name = "expm1";

  static double value(double x) { return std::expm1(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return exp(x);
  }
};

struct BinaryLogarithm {
  static constexpr const char* name = "log2";

  static double value(double x) { return std::log2(x); }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return std::numbers::log2e_v<T> / x;
  }
};

struct DecimalLogarithm {
  static constexpr const char* name = "log10";

  static double value(double x) { return std::log10(x); }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return std::numbers::log10e_v<T> / x;
  }
};

struct LogarithmOfOnePlus {
  static constexpr const char* name = "log1p";

  static double value(double x) { return std::log1p(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return reciprocal(1 + x);
  }
};

struct LogarithmOfOneMinusExponential {
  static constexpr const char* name = "log1mexp";

  static double value(double x) {
    return x <= std::numbers::ln2 ? std::log(-std::expm1(-x)) : std::log1p(-std::exp(-x));
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return exp(-x) / -expm1(-x);
  }
};

struct LogarithmOfSum {
  static constexpr const char* name = "logaddexp";

  static double value(double a, double b) {
    if (a == b) return a + std::numbers::ln2;  // apart for infinities, whose difference is NaN
    const double d = a - b;
    return std::max(a, b) + std::log1p(std::exp(-std::abs(d)));
  }

  template <class V>
  static V slope_a(const V& a, const V& b, const V&) {
    return weight(a, b);
  }

  template <class V>
  static V slope_b(const V& a, const V& b, const V&) {
    return weight(b, a);
  }

 private:
  // e^own / (e^own + e^other); only where the difference is NaN is it replaced, so that derivatives
  // of equal finite numbers stay.
  template <class T>
  static Var<T> weight(const Var<T>& own, const Var<T>& other) {
    const Var<T> d = own - other;
    return sigmoid(where(equal(own, other) * not_equal(d, d), own.tape().scalar(0), d));
  }
};

struct TimesLogarithm {
  static constexpr const char* name = "xlogy";

  static double value(double x, double y) { return x == 0 && !std::isnan(y) ? 0 : x * std::log(y); }

  template <class V>
  static V slope_a(const V&, const V& y, const V&) {
    return log(y);
  }

  template <class V>
  static V slope_b(const V& x, const V& y, const V&) {
    return quotient_of_zeros(x, y);
  }
};

struct TimesLogarithmOfOnePlus {
  static constexpr const char* name = "xlog1py";

  static double value(double x, double y) {
    return x == 0 && !std::isnan(y) ? 0 : x * std::log1p(y);
  }

  template <class V>
  static V slope_a(const V&, const V& y, const V&) {
    return log1p(y);
  }

  template <class V>
  static V slope_b(const V& x, const V& y, const V&) {
    return quotient_of_zeros(x, 1 + y);
  }
};

}  // namespace

template <class T>
Var<T> exp(const Var<T>& x) {
  return Unary<T, Exponential>::apply(x);
}

template <class T>
Var<T> log(const Var<T>& x) {
  return Unary<T, Logarithm>::apply(x);
}

template <class T>
Var<T> exp2(const Var<T>& x) {
  return ScalarUnary<T, PowerOfTwo>::apply(x);
}

template <class T>
Var<T> expm1(const Var<T>& x) {
  return ScalarUnary<T, ExponentialMinusOne>::apply(x);
}

template <class T>
Var<T> log2(const Var<T>& x) {
  return ScalarUnary<T, BinaryLogarithm>::apply(x);
}

template <class T>
Var<T> log10(const Var<T>& x) {
  return ScalarUnary<T, DecimalLogarithm>::apply(x);
}

template <class T>
Var<T> log1p(const Var<T>& x) {
  return ScalarUnary<T, LogarithmOfOnePlus>::apply(x);
}

template <class T>
Var<T> log1mexp(const Var<T>& x) {
  return ScalarUnary<T, LogarithmOfOneMinusExponential>::apply(x);
}

template <class T>
Var<T> logaddexp(const Var<T>& a, const Var<T>& b) {
  return ScalarBinary<T, LogarithmOfSum>::apply(a, b);
}

template <class T>
Var<T> xlogy(const Var<T>& x, const Var<T>& y) {
  return ScalarBinary<T, TimesLogarithm>::apply(x, y);
}

template <class T>
Var<T> xlog1py(const Var<T>& x, const Var<T>& y) {
  return ScalarBinary<T, TimesLogarithmOfOnePlus>::apply(x, y);
}

#define FJORD_INSTANTIATE(T)                               \
  template Var<T> exp(const Var<T>&);                      \
  template Var<T> log(const Var<T>&);                      \
  template Var<T> exp2(const Var<T>&);                     \
  template Var<T> expm1(const Var<T>&);                    \
  template Var<T> log2(const Var<T>&);                     \
  template Var<T> log10(const Var<T>&);                    \
  template Var<T> log1p(const Var<T>&);                    \
  template Var<T> log1mexp(const Var<T>&);                 \
  template Var<T> logaddexp(const Var<T>&, const Var<T>&); \
  template Var<T> xlogy(const Var<T>&, const Var<T>&);     \
  template Var<T> xlog1py(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
