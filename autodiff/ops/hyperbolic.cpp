#include "fjord/autodiff/ops/hyperbolic.hpp"

#include <cmath>

#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/rules/one_minus_square.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct HyperbolicSine {
  static constexpr const char* name = "sinh";

  static double value(double x) { return std::sinh(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return cosh(x);
  }
};

struct HyperbolicCosine {
  static constexpr const char* name = "cosh";

  static double value(double x) { return std::cosh(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return sinh(x);
  }
};

struct AreaSine {
  static constexpr const char* name = "asinh";

  static double value(double x) { return std::asinh(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return reciprocal(hypot(x, x.tape().scalar(1)));  // x^2 + 1 would overflow
  }
};

struct AreaCosine {
  static constexpr const char* name = "acosh";

  static double value(double x) { return std::acosh(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return rsqrt(x - 1) * rsqrt(x + 1);  // x^2 - 1 would overflow, and cancel near 1
  }
};

struct AreaTangent {
  static constexpr const char* name = "atanh";

  static double value(double x) { return std::atanh(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return reciprocal(one_minus_square(x));
  }
};

}  // namespace

template <class T>
Var<T> sinh(const Var<T>& x) {
  return ScalarUnary<T, HyperbolicSine>::apply(x);
}

template <class T>
Var<T> cosh(const Var<T>& x) {
  return ScalarUnary<T, HyperbolicCosine>::apply(x);
}

template <class T>
Var<T> asinh(const Var<T>& x) {
  return ScalarUnary<T, AreaSine>::apply(x);
}

template <class T>
Var<T> acosh(const Var<T>& x) {
  return ScalarUnary<T, AreaCosine>::apply(x);
}

template <class T>
Var<T> atanh(const Var<T>& x) {
  return ScalarUnary<T, AreaTangent>::apply(x);
}

#define FJORD_INSTANTIATE(T)            \
  template Var<T> sinh(const Var<T>&);  \
  template Var<T> cosh(const Var<T>&);  \
  template Var<T> asinh(const Var<T>&); \
  template Var<T> acosh(const Var<T>&); \
  template Var<T> atanh(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
