#include "fjord/autodiff/ops/rounding.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/rules/choice.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

template <class T>
xsimd::batch_bool<T> equals(const simd::Batch<T>& a, const simd::Batch<T>& b) {
  return a == b;
}

template <class T>
Var<T> equals(const Var<T>& a, const Var<T>& b) {
  return equal(a, b);
}

struct Abs {
  static constexpr const char* name = "abs";

  template <class V>
  static V value(const V& x) {
    return xsimd::abs(x);
  }

  template <class V>
  static V carry(const V& g, const V& x) {
    const V zero = constant(x, 0);
    const V at_kink = choose(equals(x, zero), scaled(g, 0), scaled(g, not_a_number));
    return choose(x > zero, g, choose(x < zero, negated(g), at_kink));
  }
};

struct Sign {
  static constexpr const char* name = "sign";

  template <class V>
  static V value(const V& x) {
    const V zero = constant(x, 0);
    return choose(x > zero, constant(x, 1), choose(x < zero, constant(x, -1), x));
  }
};

struct Floor {
  static constexpr const char* name = "floor";

  template <class V>
  static V value(const V& x) {
    return xsimd::floor(x);
  }
};

struct Ceil {
  static constexpr const char* name = "ceil";

  template <class V>
  static V value(const V& x) {
    return xsimd::ceil(x);
  }
};

struct Round {
  static constexpr const char* name = "round";

  template <class V>
  static V value(const V& x) {
    return xsimd::nearbyint(x);  // to even, as is every thread's mode unless a program changes it
  }
};

struct Fmod {
  static constexpr const char* name = "fmod";

  static double value(double a, double b) { return std::fmod(a, b); }

  template <class V>
  static int slope_a(const V&, const V&, const V&) {
    return 1;
  }

  // The quotient itself may round up to the next whole number; the remainder says which it was.
  template <class V>
  static V slope_b(const V& a, const V& b, const V& y) {
    return -round((a - y) / b);
  }
};

}  // namespace

template <class T>
Var<T> abs(const Var<T>& x) {
  return Choice<T, Abs>::apply(x);
}

template <class T>
Var<T> sign(const Var<T>& x) {
  return Step<T, Sign>::apply(x);
}

template <class T>
Var<T> floor(const Var<T>& x) {
  return Step<T, Floor>::apply(x);
}

template <class T>
Var<T> ceil(const Var<T>& x) {
  return Step<T, Ceil>::apply(x);
}

template <class T>
Var<T> round(const Var<T>& x) {
  return Step<T, Round>::apply(x);
}

template <class T>
Var<T> fmod(const Var<T>& a, const Var<T>& b) {
  return ScalarBinary<T, Fmod>::apply(a, b);
}

#define FJORD_INSTANTIATE(T)            \
  template Var<T> abs(const Var<T>&);   \
  template Var<T> sign(const Var<T>&);  \
  template Var<T> floor(const Var<T>&); \
  template Var<T> ceil(const Var<T>&);  \
  template Var<T> round(const Var<T>&); \
  template Var<T> fmod(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
