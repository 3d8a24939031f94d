#include "fjord/autodiff/ops/trigonometric.hpp"

#include "fjord/autodiff/elementwise_rules.hpp"

namespace fjord {
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

}  // namespace

template <class T>
Var<T> sin(const Var<T>& x) {
  return Unary<T, Sine>::apply(x);
}

template <class T>
Var<T> cos(const Var<T>& x) {
  return Unary<T, Cosine>::apply(x);
}

#define FJORD_INSTANTIATE(T)          \
  template Var<T> sin(const Var<T>&); \
  template Var<T> cos(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
