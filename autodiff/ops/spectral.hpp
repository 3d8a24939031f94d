/// Eigenvalues and singular values of matrices.
///
/// Shapes:  matrices are the last two axes; all before them are a batch.
/// Errors:  std::invalid_argument if the shape does not fit; NumericalError if LAPACK does not
///          converge.
/// Note:    A matrix with an infinite entry or NaN gives NaN.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// What `eigh` gives: A = V diag(values) V^T.
template <class T>
struct Eigh {
  Var<T> values;   ///< [..., n], ascending
  Var<T> vectors;  ///< [..., n, n], orthonormal columns V; the largest entry of each is positive
};

/// Eigenvalues and eigenvectors of symmetric matrices.
///
/// Reads only the lower triangle of a, and is a function of it: the gradient above the diagonal is
/// 0, and an entry below it counts for both of its places.
/// Shapes:  a [..., n, n].
/// Note:    Eigenvalues that differ by a few n eps |A| or less count as equal. The derivative of a
///          symmetric function of equal eigenvalues, such as their sum, is right; of another
///          function of them it is one of several. All derivatives that go through vectors of equal
///          eigenvalues, such as second derivatives, are NaN. `symmetric_function` has none of
///          these limits.
/// Source:  Giles, An extended collection of matrix derivative results, 2008, sec. 3.1.
template <class T>
Eigh<T> eigh(const Var<T>& a);

/// What `svd` gives: A = U diag(s) V^T, k = min(m, n).
template <class T>
struct Svd {
  Var<T> u;   ///< [..., m, k], orthonormal columns; the largest entry of each is positive
  Var<T> s;   ///< [..., k], descending, not negative
  Var<T> vh;  ///< [..., k, n], orthonormal rows: V^T
};

/// The reduced singular value decomposition.
///
/// Shapes:  a [..., m, n].
/// Note:    Singular values count as equal, and as 0, as the eigenvalues of `eigh` do. All
///          derivatives that go through vectors of equal ones, or in a matrix that is not square
///          through those of 0, are NaN; the gradient of the values is one of several there.
/// Source:  Townsend, Differentiating the singular value decomposition, 2016.
template <class T>
Svd<T> svd(const Var<T>& a);

}  // namespace fjord
