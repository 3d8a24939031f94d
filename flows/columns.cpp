#include "fjord/flows/columns.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

template <class T>
Tensor<T> column_numbers(const std::vector<double>& numbers, Needed needed, const char* op) {
  require(!numbers.empty(), op, "a number for each column is needed, got none");
  Tensor<T> result = Tensor<T>::zeros({static_cast<Index>(numbers.size())});
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const T value = static_cast<T>(numbers[i]);
    require(std::isfinite(value) && (needed == Needed::finite || value > 0), op, [&] {
      return std::string("the number of a column must be ") +
             (needed == Needed::finite ? "finite" : "positive") + ", got " +
             ode::short_number(numbers[i]);
    });
    result.storage()[i] = value;
  }
  return result;
}

template <class T>
Tensor<T> column_zeros(Index dim, const char* op) {
  require(dim > 0, op, [&] { return "one column at least is needed, got " + std::to_string(dim); });
  return Tensor<T>::zeros({dim});
}

template <class T>
Index read_dim(nn::PartReader<T>& reader, Index weights) {
  const Index dim = reader.size("dim");
  reader.expect_weights(static_cast<double>(weights) * static_cast<double>(dim));
  return dim;
}

template <class T>
ColumnMoments column_moments(const TensorView<T>& rows, const char* op) {
  const Shape& shape = rows.shape();
  require(shape.rank() == 2 && shape[0] > 0, op,
          [&] { return "rows are needed, got shape " + to_string(shape); });
  ColumnMoments moments;
  for (Index d = 0; d < shape[1]; ++d) {
    // Distances from the first row: a constant column has a variance of exactly 0.
    const double first = static_cast<double>(rows(0, d));
    double sum = 0;
    for (Index row = 0; row < shape[0]; ++row) sum += static_cast<double>(rows(row, d)) - first;
    const double apart = sum / static_cast<double>(shape[0]);
    double squares = 0;
    for (Index row = 0; row < shape[0]; ++row) {
      const double deviation = static_cast<double>(rows(row, d)) - first - apart;
      squares += deviation * deviation;
    }
    require(std::isfinite(squares), op, [&] {
      return "column " + std::to_string(d + 1) + " has a number that is not finite, or too large";
    });
    moments.mean.push_back(first + apart);
    moments.variance.push_back(squares / static_cast<double>(shape[0]));
  }
  return moments;
}

std::vector<double> column_deviations(const ColumnMoments& moments, const char* op) {
  std::vector<double> deviations;
  for (const double variance : moments.variance) {
    require(variance > 0, op, [&] {
      return "column " + std::to_string(deviations.size() + 1) + " is constant; leave it out";
    });
    deviations.push_back(std::sqrt(variance));
  }
  return deviations;
}

template <class T>
Var<T> log_det_of_rows(const Var<T>& x, const Var<T>& log_det) {
  return broadcast_to(log_det, Shape{x.shape()[0]});
}

template <class T>
Var<T> zero_log_det(const Var<T>& x) {
  return log_det_of_rows(x, x.tape().scalar(0));
}

#define FJORD_INSTANTIATE(T)                                                           \
  template Tensor<T> column_numbers(const std::vector<double>& numbers, Needed needed, \
                                    const char* op);                                   \
  template Tensor<T> column_zeros(Index dim, const char* op);                          \
  template Index read_dim(nn::PartReader<T>& reader, Index weights);                   \
  template ColumnMoments column_moments(const TensorView<T>& rows, const char* op);    \
  template Var<T> log_det_of_rows(const Var<T>& x, const Var<T>& log_det);             \
  template Var<T> zero_log_det(const Var<T>& x);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
