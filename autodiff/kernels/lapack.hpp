/// Decompositions of one column-major matrix on raw memory, by the LAPACK that comes with the BLAS.
///
/// Matrices are contiguous, and have finite entries.
#pragma once

#include "fjord/autodiff/shape.hpp"

namespace fjord::kernels::lapack {

/// How a triangular matrix is stored, and its place in a product.
struct TriangleFlags {
  bool lower = true;
  bool transposed = false;
  bool unit = false;   ///< the diagonal is taken for ones and not read
  bool right = false;  ///< X op(A) = B instead of op(A) X = B
};

/// P A = L U in place of A [n, n]; returns the order of the first leading block that is singular,
/// or 0.
template <class T>
int factor_lu(Index n, T* a, int* pivots);

/// Solves op(A) X = B, with A as factor_lu left it, in place of B [n, columns].
template <class T>
void solve_lu(bool transposed, Index n, Index columns, const T* lu, const int* pivots, T* b);

/// An estimate of 1 / (|A| |A^-1|) in the 1-norm, from what factor_lu left and |A|.
template <class T>
T reciprocal_condition(Index n, const T* lu, T norm);

/// A = L L^T in place of the lower triangle of A [n, n]; returns the order of the first leading
/// block that is not positive definite, or 0.
template <class T>
int factor_cholesky(Index n, T* a);

/// Solves a triangular system in place of B [rows, columns]; a zero on the diagonal divides.
template <class T>
void solve_triangular(const TriangleFlags& flags, Index rows, Index columns, const T* a, T* b);

/// A = Q R with Q in place of A [m, n], m >= n, and R [n, n], whose diagonal is not negative.
template <class T>
void factor_qr(Index m, Index n, T* a, T* r);

/// Eigenvalues, ascending, and eigenvectors in place of A [n, n], of which the lower triangle is
/// read; returns 0 on success.
template <class T>
int eigen_symmetric(Index n, T* a, T* values);

/// A = U diag(s) V^T, s descending, k = min(m, n): U [m, k], V^T [k, n]; A is lost; returns 0 on
/// success.
template <class T>
int singular_values(Index m, Index n, T* a, T* u, T* s, T* vt);

}  // namespace fjord::kernels::lapack
