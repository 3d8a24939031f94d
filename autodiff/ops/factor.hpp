/// Factors of matrices: LU, Cholesky and QR.
///
/// Shapes:  matrices are the last two axes; all before them are a batch.
/// Note:    A matrix with an infinite entry or NaN has factors of NaN.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The same square matrices, with their LU factors kept: `solve`, `inverse` and the determinants
/// take what this gives without factoring it again.
///
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape is another; NumericalError if a matrix is singular.
template <class T>
Var<T> lu_factor(const Var<T>& a);

/// The lower triangle L, with a positive diagonal, of which A = L L^T.
///
/// Reads the lower triangle of a alone, and is a function of it alone: the gradient above the
/// diagonal is 0, and an entry below it counts for both places that it stands for.
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape is another; NumericalError if a matrix is not
///          positive definite.
/// Source:  Murray, Differentiation of the Cholesky decomposition, 2016 (arXiv:1602.07527).
template <class T>
Var<T> cholesky(const Var<T>& a);

}  // namespace fjord
