#include "fjord/autodiff/ops/power.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct Power {
  static constexpr const char* name = "pow";

  static double value(double a, double b) { return std::pow(a, b); }

  // Only where both are 0 is there anything to mend, so the derivatives in b at b = 0 stay; there
  // it is 0 for b = 0 only.
  template <class T>
  static Var<T> slope_a(const Var<T>& a, const Var<T>& b, const Var<T>&) {
    return where(equal(a, 0) * equal(b, 0), without_slope(b), b * pow(a, b - T(1)));
  }

  template <class T>
  static Var<T> slope_b(const Var<T>& a, const Var<T>& b, const Var<T>& y) {
    const Var<T> log_a = broadcast_to(log(a), y.shape());
    // Of an infinite base a negative power is 0, and so is this.
    const Var<T> zero = a.tape().scalar(0);
    const Var<T> product = where(equal(y, 0), zero, y * log_a);
    // Of a base of 0 it is 0 as well; up to an exponent of 1 its derivative in the base is not
    // known.
    const Var<T> at_zero = where(b > 1, zero, without_slope(a));
    const Var<T> slope = where(equal(a, 0) * (b >= 0), at_zero, product);
    // The derivative may be finite where the power is not.
    return where(equal(y, std::numeric_limits<T>::infinity()) * (a > 1),
                 pow(a, b - T(1)) * (a * log_a), slope);
  }
};

struct InverseRoot {
  static constexpr const char* name = "rsqrt";

  static double value(double x) { return 1 / std::sqrt(x); }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>& y) {
    return y / x * T(-0.5);
  }
};

struct CubeRoot {
  static constexpr const char* name = "cbrt";

  static double value(double x) { return std::cbrt(x); }

  template <class T>
  static Var<T> slope(const Var<T>&, const Var<T>& y) {
    return square(reciprocal(y)) * T(1.0 / 3);
  }
};

}  // namespace

template <class T>
Var<T> pow(const Var<T>& a, const Var<T>& b) {
  return ScalarBinary<T, Power>::apply(a, b);
}

template <class T>
Var<T> rsqrt(const Var<T>& x) {
  return ScalarUnary<T, InverseRoot>::apply(x);
}

template <class T>
Var<T> cbrt(const Var<T>& x) {
  return ScalarUnary<T, CubeRoot>::apply(x);
}

#define FJORD_INSTANTIATE(T)                         \
  template Var<T> pow(const Var<T>&, const Var<T>&); \
  template Var<T> rsqrt(const Var<T>&);              \
  template Var<T> cbrt(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
