/// Numbers for the columns of rows, and what is the same in every row.
#pragma once

#include <vector>

#include "fjord/autodiff/tape.hpp"
#include "fjord/nn/part_reader.hpp"

namespace fjord::flows {

/// What the numbers of a setting must be, in the precision T.
enum class Needed { finite, positive };

/// One number for each column, [D], from a setting.
///
/// Errors:  std::invalid_argument "[op] ..." if there is none, or one is not as needed in T.
template <class T>
Tensor<T> column_numbers(const std::vector<double>& numbers, Needed needed, const char* op);

/// Zeros [dim], where parameters of columns begin.
///
/// Errors:  std::invalid_argument "[op] ..." if dim is not positive.
template <class T>
Tensor<T> column_zeros(Index dim, const char* op);

/// The setting "dim" of a part that has so many weights for each column.
template <class T>
Index read_dim(nn::PartReader<T>& reader, Index weights);

/// The means of columns, and their variances, the sums of squares over the count.
struct ColumnMoments {
  std::vector<double> mean;
  std::vector<double> variance;  ///< exactly 0 for a constant column only
};

/// The moments of the columns of rows [N, D].
///
/// Errors:  std::invalid_argument "[op] ..." if there are no rows, or a number is not finite.
template <class T>
ColumnMoments column_moments(const TensorView<T>& rows, const char* op);

/// The standard deviations, the roots of the variances.
///
/// Errors:  std::invalid_argument "[op] ..." if a column is constant.
std::vector<double> column_deviations(const ColumnMoments& moments, const char* op);

/// A log-determinant that is the same in all rows of x: [B] from a scalar.
template <class T>
Var<T> log_det_of_rows(const Var<T>& x, const Var<T>& log_det);

/// The log-determinant of what changes no volume: zeros [B].
template <class T>
Var<T> zero_log_det(const Var<T>& x);

}  // namespace fjord::flows
