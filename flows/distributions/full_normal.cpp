#include "fjord/flows/distributions/full_normal.hpp"

#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/check_numbers.hpp"
#include "fjord/flows/distributions/rounded_leaf.hpp"

namespace fjord::flows {

template <class T>
FullNormal<T>::FullNormal(std::vector<double> mean, std::vector<double> factor)
    : means_(std::move(mean)), factors_(std::move(factor)) {
  const std::size_t size = means_.size();
  check_count(means_, size, "full_normal", "mean");
  check_count(factors_, size * (size + 1) / 2, "full_normal", "factor");
  check_numbers<T>(means_, false, "full_normal", "mean");
  check_numbers<T>(factors_, false, "full_normal", "number of the factor");
  const auto dim = static_cast<Index>(size);
  lower_ = Tensor<double>::zeros({dim, dim});
  std::size_t next = 0;
  for (Index i = 0; i < dim; ++i) {
    for (Index j = 0; j <= i; ++j) lower_(i, j) = factors_[next++];
    check_numbers<T>({lower_(i, i)}, true, "full_normal", "number of the factor's diagonal");
    log_det_ += std::log(lower_(i, i));
  }
}

template <class T>
std::optional<Tensor<double>> FullNormal<T>::mean() const {
  return Tensor<double>::from({dim()}, means_);
}

template <class T>
std::optional<Tensor<double>> FullNormal<T>::variance() const {
  Tensor<double> variance = Tensor<double>::zeros({dim()});
  for (Index i = 0; i < dim(); ++i)
    for (Index j = 0; j <= i; ++j) variance(i) += lower_(i, j) * lower_(i, j);
  return variance;
}

template <class T>
std::optional<double> FullNormal<T>::entropy() const {
  const double each = 0.5 * std::log(2 * std::numbers::pi * std::numbers::e);
  return static_cast<double>(dim()) * each + log_det_;
}

template <class T>
Var<T> FullNormal<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  std::vector<double> normals(static_cast<std::size_t>(dim()));
  Tensor<T> x = Tensor<T>::zeros({rows, dim()});
  for (Index row = 0; row < rows; ++row) {
    const std::uint64_t number = context.first_row + static_cast<std::uint64_t>(row);
    context.random.normal(std::span<double>(normals), number * normals.size());
    for (Index i = 0; i < dim(); ++i) {
      double sum = means_[static_cast<std::size_t>(i)];
      for (Index j = 0; j <= i; ++j) sum += lower_(i, j) * normals[static_cast<std::size_t>(j)];
      x(row, i) = static_cast<T>(sum);
    }
  }
  return tape.input(x);
}

template <class T>
Var<T> FullNormal<T>::log_prob(const Var<T>& x, Context<T>&) const {
  check_rows(x, dim(), "full_normal");
  Tape<T>& tape = x.tape();
  const Var<T> centred = x - rounded_leaf<T>(tape, {dim()}, means_);
  const Var<T> z = triangular_solve(rounded_leaf<T>(tape, lower_.shape(), lower_.storage()),
                                    centred, {.transposed = true, .side = Side::right});
  const double normaliser = 0.5 * static_cast<double>(dim()) * std::log(2 * std::numbers::pi);
  return sum(square(z), {1}) * T(-0.5) - static_cast<T>(normaliser + log_det_);
}

template <class T>
nn::Description<T> FullNormal<T>::describe() {
  return nn::Description<T>("full_normal").set("mean", means_).set("factor", factors_);
}

template class FullNormal<float>;
template class FullNormal<double>;

}  // namespace fjord::flows
