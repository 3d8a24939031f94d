#include "fjord/autodiff/ops/incomplete_gamma.hpp"

#include "fjord/autodiff/kernels/incomplete_gamma.hpp"
#include "fjord/autodiff/rules/partials.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct LowerGamma {
  static constexpr const char* name = "gammainc";
  static constexpr std::size_t count = 2;

  static double value(const std::array<int, 2>& orders, const std::array<double, 2>& at) {
    return incomplete_gamma(orders, at[0], at[1], false);
  }
};

struct UpperGamma {
  static constexpr const char* name = "gammaincc";
  static constexpr std::size_t count = 2;

  static double value(const std::array<int, 2>& orders, const std::array<double, 2>& at) {
    return incomplete_gamma(orders, at[0], at[1], true);
  }
};

struct LowerBeta {
  static constexpr const char* name = "betainc";
  static constexpr std::size_t count = 3;

  static double value(const std::array<int, 3>& orders, const std::array<double, 3>& at) {
    return incomplete_beta(orders, at[0], at[1], at[2], false);
  }
};

struct UpperBeta {
  static constexpr const char* name = "betaincc";
  static constexpr std::size_t count = 3;

  static double value(const std::array<int, 3>& orders, const std::array<double, 3>& at) {
    return incomplete_beta(orders, at[0], at[1], at[2], true);
  }
};

}  // namespace

template <class T>
Var<T> gammainc(const Var<T>& a, const Var<T>& x) {
  return Partials<T, LowerGamma>::apply({a, x});
}

template <class T>
Var<T> gammaincc(const Var<T>& a, const Var<T>& x) {
  return Partials<T, UpperGamma>::apply({a, x});
}

template <class T>
Var<T> betainc(const Var<T>& a, const Var<T>& b, const Var<T>& x) {
  return Partials<T, LowerBeta>::apply({a, b, x});
}

template <class T>
Var<T> betaincc(const Var<T>& a, const Var<T>& b, const Var<T>& x) {
  return Partials<T, UpperBeta>::apply({a, b, x});
}

#define FJORD_INSTANTIATE(T)                                            \
  template Var<T> gammainc(const Var<T>&, const Var<T>&);               \
  template Var<T> gammaincc(const Var<T>&, const Var<T>&);              \
  template Var<T> betainc(const Var<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> betaincc(const Var<T>&, const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
