/// Matrices with known properties, and products of them by loops.
#pragma once

#include "fjord/tests/support/battery.hpp"

namespace fjord::test {

/// a b of every matrix of the last two axes, by loops; b may be one matrix for all.
Tensor<double> multiply_by_loops(const Tensor<double>& a, const Tensor<double>& b);

/// The transposes of the last two axes.
Tensor<double> transpose_by_loops(const Tensor<double>& a);

/// The determinants of the last two axes, by expansion along the first row.
Tensor<double> det_by_minors(const Tensor<double>& a);

/// Entries of size 1 and n on the diagonal of the last two axes: well-conditioned.
Tensor<double> dominant(const Shape& shape, std::uint64_t key);

/// As `dominant`, symmetric and positive definite.
Tensor<double> positive_definite(const Shape& shape, std::uint64_t key);

/// The entries for which keep(row, column), and `other` elsewhere.
Tensor<double> masked(const Tensor<double>& a, const std::function<bool(Index, Index)>& keep,
                      double other = 0);

/// Tensors of one shape as one, along a new first axis.
Tensor<double> batch_of(const Tensors& parts);

/// A symmetric orthogonal matrix [n, n] without zeros: 1 - 2 v v^T / |v|^2, v = (first, first + 1,
/// ...).
Tensor<double> reflection(Index n, double first = 1);

/// Q diag(values) Q with Q = reflection(n).
Tensor<double> symmetric_with(const std::vector<double>& values);

/// The columns of a matrix [m, n], each with the sign that makes its largest entry positive.
Tensor<double> with_positive_peaks(const Tensor<double>& a);

}  // namespace fjord::test
