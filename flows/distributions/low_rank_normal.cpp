#include "fjord/flows/distributions/low_rank_normal.hpp"

#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/check_numbers.hpp"
#include "fjord/flows/distributions/rounded_leaf.hpp"

namespace fjord::flows {

template <class T>
LowRankNormal<T>::LowRankNormal(std::vector<double> mean, std::vector<double> diagonal,
                                std::vector<double> factor)
    : means_(std::move(mean)), diagonal_(std::move(diagonal)), factors_(std::move(factor)) {
  const std::size_t size = means_.size();
  check_count(means_, size, "low_rank_normal", "mean");
  check_count(diagonal_, size, "low_rank_normal", "diagonal");
  require(!factors_.empty() && factors_.size() % size == 0, "low_rank_normal", [&] {
    return "a multiple of " + std::to_string(size) + " numbers is needed as factor, got " +
           std::to_string(factors_.size());
  });
  check_numbers<T>(means_, false, "low_rank_normal", "mean");
  check_numbers<T>(diagonal_, true, "low_rank_normal", "number of the diagonal");
  check_numbers<T>(factors_, false, "low_rank_normal", "number of the factor");
  const auto dim = static_cast<Index>(size);
  const auto rank = static_cast<Index>(factors_.size() / size);
  wide_ = Tensor<double>::from({dim, rank}, factors_);
  Tape<double> tape;
  const Var<double> w = tape.input(wide_);
  const Var<double> d = tape.input(Tensor<double>::from({dim, 1}, diagonal_));
  const Var<double> scaled = w / sqrt(d);
  const Var<double> inner =
      matmul(swap_axes(scaled, 0, 1), scaled) + tape.input(Tensor<double>::identity(rank));
  const Var<double> l = cholesky(inner);
  projection_ = Tensor<double>(swap_axes(cholesky_solve(l, swap_axes(w / d, 0, 1)), 0, 1).value());
  for (Index k = 0; k < rank; ++k) log_det_ += 2 * std::log(l.value()(k, k));
  for (const double variance : diagonal_) log_det_ += std::log(variance);
}

template <class T>
Tensor<double> LowRankNormal<T>::covariance() const {
  Tensor<double> covariance = Tensor<double>::zeros({dim(), dim()});
  for (Index i = 0; i < dim(); ++i) {
    covariance(i, i) = diagonal_[static_cast<std::size_t>(i)];
    for (Index j = 0; j < dim(); ++j)
      for (Index k = 0; k < wide_.shape()[1]; ++k) covariance(i, j) += wide_(i, k) * wide_(j, k);
  }
  return covariance;
}

template <class T>
std::optional<Tensor<double>> LowRankNormal<T>::mean() const {
  return Tensor<double>::from({dim()}, means_);
}

template <class T>
std::optional<Tensor<double>> LowRankNormal<T>::variance() const {
  Tensor<double> variance = Tensor<double>::from({dim()}, diagonal_);
  for (Index i = 0; i < dim(); ++i)
    for (Index k = 0; k < wide_.shape()[1]; ++k) variance(i) += wide_(i, k) * wide_(i, k);
  return variance;
}

template <class T>
std::optional<double> LowRankNormal<T>::entropy() const {
  const double each = std::log(2 * std::numbers::pi * std::numbers::e);
  return 0.5 * (static_cast<double>(dim()) * each + log_det_);
}

template <class T>
Var<T> LowRankNormal<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  const Index rank = wide_.shape()[1];
  std::vector<double> normals(static_cast<std::size_t>(dim() + rank));
  Tensor<T> x = Tensor<T>::zeros({rows, dim()});
  for (Index row = 0; row < rows; ++row) {
    const std::uint64_t number = context.first_row + static_cast<std::uint64_t>(row);
    context.random.normal(std::span<double>(normals), number * normals.size());
    for (Index i = 0; i < dim(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      double sum = means_[at] + std::sqrt(diagonal_[at]) * normals[at];
      for (Index k = 0; k < rank; ++k)
        sum += wide_(i, k) * normals[static_cast<std::size_t>(dim() + k)];
      x(row, i) = static_cast<T>(sum);
    }
  }
  return tape.input(x);
}

template <class T>
Var<T> LowRankNormal<T>::log_prob(const Var<T>& x, Context<T>&) const {
  check_rows(x, dim(), "low_rank_normal");
  Tape<T>& tape = x.tape();
  const auto leaf = [&](const std::vector<double>& numbers) {
    return rounded_leaf<T>(tape, {dim()}, numbers);
  };
  const Var<T> y = x - leaf(means_);
  const Var<T> z = matmul(y, rounded_leaf<T>(tape, projection_.shape(), projection_.storage()));
  const Var<T> wide = rounded_leaf<T>(tape, wide_.shape(), wide_.storage());
  const Var<T> rest = y - matmul(z, swap_axes(wide, 0, 1));
  const Var<T> form = sum(square(rest) / leaf(diagonal_), {1}) + sum(square(z), {1});
  const double normaliser = static_cast<double>(dim()) * std::log(2 * std::numbers::pi) + log_det_;
  return (form + static_cast<T>(normaliser)) * T(-0.5);
}

template <class T>
nn::Description<T> LowRankNormal<T>::describe() {
  return nn::Description<T>("low_rank_normal")
      .set("mean", means_)
      .set("diagonal", diagonal_)
      .set("factor", factors_);
}

template class LowRankNormal<float>;
template class LowRankNormal<double>;

}  // namespace fjord::flows
