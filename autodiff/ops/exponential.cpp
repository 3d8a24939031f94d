#include "fjord/autodiff/ops/exponential.hpp"

#include "fjord/autodiff/elementwise_rules.hpp"

namespace fjord {
namespace {

struct Exponential {
  static constexpr const char* name = "exp";

  template <class V>
  static V value(const V& x) {
    return xsimd::exp(x);
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
    return xsimd::log(x);
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

}  // namespace

template <class T>
Var<T> exp(const Var<T>& x) {
  return Unary<T, Exponential>::apply(x);
}

template <class T>
Var<T> log(const Var<T>& x) {
  return Unary<T, Logarithm>::apply(x);
}

#define FJORD_INSTANTIATE(T)          \
  template Var<T> exp(const Var<T>&); \
  template Var<T> log(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
