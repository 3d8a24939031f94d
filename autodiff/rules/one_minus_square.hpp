/// 1 - x^2 with all digits, its derivatives included: near 1 and -1, and near 0.
#pragma once

#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord::rules {

using namespace kernels;

struct OneMinusSquare {
  static constexpr const char* name = "1 - x^2";

  static double value(double x) { return (1 - x) * (1 + x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return x * -2;
  }
};

template <class T>
Var<T> one_minus_square(const Var<T>& x) {
  return ScalarUnary<T, OneMinusSquare>::apply(x);
}

}  // namespace fjord::rules
