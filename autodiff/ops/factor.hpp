/// Factors of matrices: LU, Cholesky and QR.
///
/// Shapes:  matrices are the last two axes; all before them are a batch.
/// Note:    A matrix with an infinite entry or NaN has factors of NaN.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The same square matrices, with their LU factors kept: `solve`, `lu_solve`, `inverse` and the
/// determinants take what this gives without factoring it again.
///
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape does not fit; NumericalError if a matrix is
///          singular.
template <class T>
Var<T> lu_factor(const Var<T>& a);

/// The lower triangle L, with a positive diagonal, of which A = L L^T.
///
/// Reads only the lower triangle of a, and is a function of it: the gradient above the diagonal is
/// 0, and an entry below it counts for both of its places.
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape does not fit; NumericalError if a matrix is not
///          positive definite.
/// Note:    All derivatives are NaN where a matrix is positive definite only by rounding errors:
///          where some L_ii^2 is about n eps A_ii or less.
/// Source:  Murray, Differentiation of the Cholesky decomposition, 2016 (arXiv:1602.07527).
template <class T>
Var<T> cholesky(const Var<T>& a);

/// What `qr` gives: A = Q R, k = min(m, n).
template <class T>
struct QrFactors {
  Var<T> q;  ///< [..., m, k], with orthonormal columns
  Var<T> r;  ///< [..., k, n], upper triangular, with no negative number on the diagonal
};

/// The reduced QR factors, as numpy.linalg.qr except for their signs, which are made unique.
///
/// Shapes:  a [..., m, n].
/// Errors:  std::invalid_argument if it has fewer than two axes.
/// Note:    All derivatives are NaN where the first k columns are linearly dependent to within
///          rounding errors: where some R_jj is m eps times the length of column j or less.
/// Source:  Walter & Lehmann, Algorithmic differentiation of linear algebra functions, 2010.
template <class T>
QrFactors<T> qr(const Var<T>& a);

}  // namespace fjord
