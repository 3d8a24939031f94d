#include "fjord/flows/distribution.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {

namespace {

template <class T>
Tensor<T> rounded(const std::vector<double>& numbers, bool positive) {
  Tensor<T> result = Tensor<T>::zeros({static_cast<Index>(numbers.size())});
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const T value = static_cast<T>(numbers[i]);
    require(std::isfinite(value) && (!positive || value > 0), "diagonal_normal", [&] {
      return std::string(positive ? "scales must be positive" : "means must be finite") + ", got " +
             std::to_string(numbers[i]);
    });
    result.storage()[i] = value;
  }
  return result;
}

}  // namespace

template <class T>
DiagonalNormal<T>::DiagonalNormal(std::vector<double> mean, std::vector<double> scale)
    : means_(std::move(mean)), scales_(std::move(scale)) {
  require(!means_.empty() && means_.size() == scales_.size(), "diagonal_normal", [&] {
    return "as many means as scales are needed, one at least, got " +
           std::to_string(means_.size()) + " and " + std::to_string(scales_.size());
  });
  mean_ = rounded<T>(means_, false);
  scale_ = rounded<T>(scales_, true);
  double sum = 0;
  for (const T s : scale_.storage())
    sum += std::log(static_cast<double>(s)) + 0.5 * std::log(2 * std::numbers::pi);
  log_normaliser_ = static_cast<T>(-sum);
}

template <class T>
Var<T> DiagonalNormal<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  std::vector<T> normals(static_cast<std::size_t>(Shape{rows, dim()}.size()));
  context.random.normal(std::span<T>(normals),
                        context.first_row * static_cast<std::uint64_t>(dim()));
  Tensor<T> draws = Tensor<T>::from({rows, dim()}, normals);
  for (Index d = 0; d < dim(); ++d) {
    for (Index row = 0; row < rows; ++row) draws(row, d) = mean_(d) + scale_(d) * draws(row, d);
  }
  return tape.input(draws);
}

template <class T>
Var<T> DiagonalNormal<T>::log_prob(const Var<T>& x, Context<T>&) const {
  check_rows(x, dim(), "diagonal_normal");
  Tape<T>& tape = x.tape();
  const Var<T> standard = (x - tape.input(mean_)) / tape.input(scale_);
  return sum(square(standard), {1}) * T(-0.5) + log_normaliser_;
}

template <class T>
nn::Description<T> DiagonalNormal<T>::describe() {
  return nn::Description<T>("diagonal_normal").set("mean", means_).set("scale", scales_);
}

template <class T>
TransformedDistribution<T>::TransformedDistribution(std::unique_ptr<Distribution<T>> base,
                                                    std::unique_ptr<Bijector<T>> bijector)
    : base_(std::move(base)), bijector_(std::move(bijector)) {
  require(base_ != nullptr && bijector_ != nullptr, "transformed_distribution",
          "a base and a bijector are needed, got null");
}

template <class T>
Var<T> TransformedDistribution<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  return bijector_->forward(base_->sample(tape, rows, context), context);
}

template <class T>
Var<T> TransformedDistribution<T>::log_prob(const Var<T>& x, Context<T>& context) const {
  check_rows(x, dim(), "log_prob");
  const WithLogDet<T> z = bijector_->inverse_with_log_det(x, context);
  return base_->log_prob(z.value, context) + z.log_det;
}

template <class T>
SampleAndLogProb<T> TransformedDistribution<T>::sample_and_log_prob(Tape<T>& tape, Index rows,
                                                                    Context<T>& context) const {
  const SampleAndLogProb<T> z = base_->sample_and_log_prob(tape, rows, context);
  const WithLogDet<T> x = bijector_->forward_with_log_det(z.sample, context);
  return {x.value, z.log_prob - x.log_det};
}

template <class T>
nn::Description<T> TransformedDistribution<T>::describe() {
  return nn::Description<T>("transformed").child("base", *base_).child("bijector", *bijector_);
}

template class DiagonalNormal<float>;
template class DiagonalNormal<double>;
template class TransformedDistribution<float>;
template class TransformedDistribution<double>;

}  // namespace fjord::flows
