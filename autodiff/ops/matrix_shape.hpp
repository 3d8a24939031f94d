/// Diagonals, triangles, and products of all pairs.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// A matrix with x on diagonal k and zeros elsewhere; or, of a matrix, its diagonal k: numpy.diag.
///
/// Diagonal k lies k columns right of the main one, below it if k < 0.
/// Shapes:  [n] -> [n + |k|, n + |k|]; [n, m] -> [size of the diagonal].
/// Errors:  std::invalid_argument if x does not have one or two axes.
template <class T>
Var<T> diag(const Var<T>& x, Index k = 0);
/// The last two axes' entries on and below diagonal k, zeros above.
///
/// Shapes:  [..., n, m], and so is the result.
/// Errors:  std::invalid_argument if x has fewer than two axes.
template <class T>
Var<T> tril(const Var<T>& x, Index k = 0);
/// The last two axes' entries on and above diagonal k, zeros below.
///
/// Shapes:  [..., n, m], and so is the result.
/// Errors:  std::invalid_argument if x has fewer than two axes.
template <class T>
Var<T> triu(const Var<T>& x, Index k = 0);
/// The products of all entries of a with all of b: numpy.outer.
///
/// Shapes:  any, taken as lists in the order C; the result is [size of a, size of b].
template <class T>
Var<T> outer(const Var<T>& a, const Var<T>& b);
/// b in place of each entry of a, times that entry: numpy.kron.
///
/// Shapes:  [n, m], [p, q] -> [n p, m q]; any ranks, the shorter shape filled up with ones in
///          front.
template <class T>
Var<T> kron(const Var<T>& a, const Var<T>& b);

}  // namespace fjord
