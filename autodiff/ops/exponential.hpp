/// Exponentials and logarithms, elementwise.
#pragma once

#include <type_traits>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

template <class T>
Var<T> exp(const Var<T>& x);
/// 2^x.
template <class T>
Var<T> exp2(const Var<T>& x);
/// e^x - 1, with all digits near 0; its derivative keeps them where e^x is tiny.
template <class T>
Var<T> expm1(const Var<T>& x);
/// The natural logarithm; -inf at 0, NaN below.
template <class T>
Var<T> log(const Var<T>& x);
template <class T>
Var<T> log2(const Var<T>& x);
template <class T>
Var<T> log10(const Var<T>& x);
/// log(1 + x), with all digits near 0; -inf at -1, NaN below.
template <class T>
Var<T> log1p(const Var<T>& x);
/// log(1 - e^-x) for x >= 0, with all digits for small and large x; -inf at 0, NaN below.
///
/// Source:  Maechler, Accurately computing log(1 - exp(-|a|)), 2012.
template <class T>
Var<T> log1mexp(const Var<T>& x);
/// log(e^a + e^b), for numbers of any size; infinite ones included.
///
/// Shapes:  broadcast.
/// Note:    The derivatives add up to 1; equal infinities have half each.
template <class T>
Var<T> logaddexp(const Var<T>& a, const Var<T>& b);
/// x log(y), and 0 where x is 0, unless y is NaN.
///
/// Shapes:  broadcast.
/// Note:    At x = y = 0 the derivatives are log 0 = -inf in x, and 0 in y.
template <class T>
Var<T> xlogy(const Var<T>& x, const Var<T>& y);
/// x log(1 + y), and 0 where x is 0, unless y is NaN.
///
/// Shapes:  broadcast.
/// Note:    At x = 0, y = -1 the derivatives are -inf in x, and 0 in y.
template <class T>
Var<T> xlog1py(const Var<T>& x, const Var<T>& y);

template <class T>
Var<T> logaddexp(const Var<T>& a, std::type_identity_t<T> b) {
  return logaddexp(a, a.tape().scalar(b));
}

template <class T>
Var<T> logaddexp(std::type_identity_t<T> a, const Var<T>& b) {
  return logaddexp(b.tape().scalar(a), b);
}

template <class T>
Var<T> xlogy(const Var<T>& a, std::type_identity_t<T> b) {
  return xlogy(a, a.tape().scalar(b));
}

template <class T>
Var<T> xlogy(std::type_identity_t<T> a, const Var<T>& b) {
  return xlogy(b.tape().scalar(a), b);
}

template <class T>
Var<T> xlog1py(const Var<T>& a, std::type_identity_t<T> b) {
  return xlog1py(a, a.tape().scalar(b));
}

template <class T>
Var<T> xlog1py(std::type_identity_t<T> a, const Var<T>& b) {
  return xlog1py(b.tape().scalar(a), b);
}

}  // namespace fjord
