/// The gamma function's logarithm and its derivatives, elementwise.
#pragma once

#include <type_traits>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// log |gamma(x)|; inf at 0 and negative whole numbers.
template <class T>
Var<T> lgamma(const Var<T>& x);
/// The derivative of lgamma; minus or plus infinite at 0, by its sign, NaN at negative whole
/// numbers.
template <class T>
Var<T> digamma(const Var<T>& x);
/// The derivative of digamma of order n, of which order 0 is digamma itself.
///
/// Errors:  std::invalid_argument if n is negative.
/// Note:    At negative whole numbers it is inf for odd n, and NaN for even n.
template <class T>
Var<T> polygamma(int n, const Var<T>& x);
/// The logarithm of the beta function: lgamma(a) + lgamma(b) - lgamma(a + b) for a, b >= 0, without
/// the cancellation of large a or b, as are its derivatives up to the fourth; NaN if either is
/// negative.
///
/// Shapes:  broadcast.
/// Source:  Didonato & Morris, ACM Trans. Math. Softw. 18 (1992) 360, BETALN.
template <class T>
Var<T> betaln(const Var<T>& a, const Var<T>& b);

template <class T>
Var<T> betaln(const Var<T>& a, std::type_identity_t<T> b) {
  return betaln(a, a.tape().scalar(b));
}

template <class T>
Var<T> betaln(std::type_identity_t<T> a, const Var<T>& b) {
  return betaln(b.tape().scalar(a), b);
}

}  // namespace fjord
