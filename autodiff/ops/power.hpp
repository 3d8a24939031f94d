/// Powers and roots, elementwise.
#pragma once

#include <type_traits>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// a^b, as std::pow: 0^0 = 1, and NaN for a negative base with an exponent that is not a whole
/// number.
///
/// Shapes:  broadcast.
/// Note:    In a, the derivative is b a^(b - 1), and 0 at a = b = 0; so whole exponents have exact
///          derivatives of every order at a = 0. In b it is a^b log a, 0 at a = 0 for b >= 0, and
///          NaN for a < 0.
template <class T>
Var<T> pow(const Var<T>& a, const Var<T>& b);

template <class T>
Var<T> pow(const Var<T>& a, std::type_identity_t<T> exponent) {
  return pow(a, a.tape().scalar(exponent));
}

template <class T>
Var<T> pow(std::type_identity_t<T> base, const Var<T>& b) {
  return pow(b.tape().scalar(base), b);
}

/// 1 / sqrt(x); inf at 0 with a derivative of -inf, NaN below.
template <class T>
Var<T> rsqrt(const Var<T>& x);
/// The cube root, of negative numbers, too; its derivative at 0 is infinite.
template <class T>
Var<T> cbrt(const Var<T>& x);

}  // namespace fjord
