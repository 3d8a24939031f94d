/// Solutions of linear systems.
///
/// Shapes:  matrices are the last two axes; all before them are a batch, broadcast.
/// Note:    A matrix with an infinite entry or NaN gives NaN.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The side of the unknown X on which the given matrix A is.
enum class Side {
  left,   ///< A X = B
  right,  ///< X A = B
};

/// The inverse of every matrix.
///
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape does not fit; NumericalError if a matrix is
///          singular.
template <class T>
Var<T> inverse(const Var<T>& a);

/// The solution X of A X = B, or of X A = B.
///
/// Shapes:  a [..., n, n]; b [..., n, m] on the left, [..., m, n] on the right, or a vector [n];
///          the result as b.
/// Errors:  std::invalid_argument if the shapes do not match; NumericalError if a matrix is
///          singular.
template <class T>
Var<T> solve(const Var<T>& a, const Var<T>& b, Side side = Side::left);

/// The solution X of A X = B with the factors of A that `lu_factor` kept, as scipy calls it;
/// `solve` takes them, too.
///
/// Shapes:  lu [..., n, n], best from lu_factor; b and the result as of solve.
/// Errors:  as solve.
template <class T>
Var<T> lu_solve(const Var<T>& lu, const Var<T>& b);

/// What `triangular_solve` takes for A.
struct TriangularForm {
  bool lower = true;           ///< the lower triangle of a, or the upper; the other is not read
  bool transposed = false;     ///< the transpose of that
  bool unit_diagonal = false;  ///< with ones on the diagonal, which is not read then
  Side side = Side::left;
};

/// The solution X of A X = B, or of X A = B, with a triangle A.
///
/// The gradient in what is not read of a is 0.
/// Shapes:  as solve.
/// Errors:  std::invalid_argument if the shapes do not match; NumericalError if there is a 0 on a
///          diagonal that is read.
template <class T>
Var<T> triangular_solve(const Var<T>& a, const Var<T>& b, const TriangularForm& form = {});

/// The solution X of L L^T X = B, with L from `cholesky`; its upper triangle is not read.
///
/// Shapes:  l [..., n, n]; b [..., n, m] or a vector [n]; the result as b.
/// Errors:  std::invalid_argument if the shapes do not match; NumericalError if there is a 0 on the
///          diagonal.
template <class T>
Var<T> cholesky_solve(const Var<T>& l, const Var<T>& b);

}  // namespace fjord
