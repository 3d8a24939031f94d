/// Operations on the matrices of a batch, their last two axes, that rules of linear algebra are
/// made of.
///
/// Note:    For rules: shapes are not checked.
#pragma once

#include "fjord/autodiff/kernels/batched.hpp"
#include "fjord/autodiff/rules/product.hpp"

namespace fjord::rules {

using namespace kernels;

/// op(A) op(B) of every pair of matrices.
///
/// Shapes:  a and b have the same leading axes.
template <class T>
Var<T> matrix_product(const Var<T>& a, const Var<T>& b, Transposes transposes = {false, false});

/// The transpose of every matrix.
template <class T>
Var<T> transposed(const Var<T>& x);

/// The entries on and below diagonal k, counted to the right of the main one, and zeros:
/// numpy.tril.
template <class T>
Var<T> lower_triangle(const Var<T>& x, Index k = 0);

/// The entries on and above diagonal k, and zeros: numpy.triu.
template <class T>
Var<T> upper_triangle(const Var<T>& x, Index k = 0);

/// The same of derivatives: the zeros are masked.
template <class T>
Var<T> lower_part(const Var<T>& g, Index k = 0);
template <class T>
Var<T> upper_part(const Var<T>& g, Index k = 0);

/// The symmetric matrices of which x holds the lower triangles; the upper ones are not read.
template <class T>
Var<T> mirror_lower(const Var<T>& x);
template <class T>
Var<T> mirror_lower_part(const Var<T>& g);

/// Stretches the leading axes of a and b against each other.
///
/// Errors:  std::invalid_argument in the name of `op` if they do not broadcast.
template <class T>
std::pair<Var<T>, Var<T>> with_common_batch(const Var<T>& a, const Var<T>& b, const char* op);

/// The shape of the leading axes of x, followed by `rows` and `columns`.
Shape batch_shape(const NodeShape& x, Index rows, Index columns);

/// A constant identity matrix [n, n] for every matrix of `like`.
template <class T>
Var<T> identity_like(const Var<T>& like);

/// Checks that the last two axes of x are square matrices.
///
/// Errors:  std::invalid_argument in the name of `op` if they are not, or as Tape::node.
template <class T>
MatrixBatch square_matrices(const Var<T>& x, const char* op);

/// Throws NumericalError in the name of `op`: matrix k of the batch "is <what>".
[[noreturn]] void fail_for_matrix(const char* op, Index k, Index count, const char* what);

}  // namespace fjord::rules
