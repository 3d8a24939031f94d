#include "fjord/flows/distribution.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"

namespace fjord::flows {

namespace {

void check_rows(const Shape& shape, Index dim, const char* op) {
  require(shape.rank() == 2 && shape[1] == dim, op, [&] {
    return "rows of " + std::to_string(dim) + " numbers are needed, got shape " + to_string(shape);
  });
}

}  // namespace

template <class T>
DiagonalNormal<T>::DiagonalNormal(Tensor<T> mean, Tensor<T> scale)
    : mean_(std::move(mean)), scale_(std::move(scale)) {
  require(mean_.shape().rank() == 1 && mean_.shape() == scale_.shape(), "diagonal_normal", [&] {
    return "mean and scale [D] are needed, got " + to_string(mean_.shape()) + " and " +
           to_string(scale_.shape());
  });
  double sum = 0;
  for (const T s : scale_.storage()) {
    require(s > 0 && std::isfinite(s), "diagonal_normal",
            [&] { return "scales must be positive, got " + std::to_string(s); });
    sum += std::log(static_cast<double>(s)) + 0.5 * std::log(2 * std::numbers::pi);
  }
  log_normaliser_ = static_cast<T>(-sum);
}

template <class T>
Var<T> DiagonalNormal<T>::sample(Tape<T>& tape, Index rows, Context& context) const {
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
Var<T> DiagonalNormal<T>::log_prob(const Var<T>& x, Context&) const {
  check_rows(x.shape(), dim(), "diagonal_normal");
  Tape<T>& tape = x.tape();
  const Var<T> standard = (x - tape.input(mean_)) / tape.input(scale_);
  return sum(square(standard), {1}) * T(-0.5) + log_normaliser_;
}

template <class T>
SampleAndLogProb<T> DiagonalNormal<T>::sample_and_log_prob(Tape<T>& tape, Index rows,
                                                           Context& context) const {
  const Var<T> x = sample(tape, rows, context);
  return {x, log_prob(x, context)};
}

template <class T>
TransformedDistribution<T>::TransformedDistribution(std::unique_ptr<Distribution<T>> base,
                                                    std::unique_ptr<Bijector<T>> bijector)
    : base_(std::move(base)), bijector_(std::move(bijector)) {
  require(base_ != nullptr && bijector_ != nullptr, "transformed_distribution",
          "a base and a bijector are needed, got null");
}

template <class T>
Var<T> TransformedDistribution<T>::sample(Tape<T>& tape, Index rows, Context& context) const {
  return bijector_->forward(base_->sample(tape, rows, context), context);
}

template <class T>
Var<T> TransformedDistribution<T>::log_prob(const Var<T>& x, Context& context) const {
  check_rows(x.shape(), dim(), "log_prob");
  const WithLogDet<T> z = bijector_->inverse_with_log_det(x, context);
  return base_->log_prob(z.value, context) + z.log_det;
}

template <class T>
SampleAndLogProb<T> TransformedDistribution<T>::sample_and_log_prob(Tape<T>& tape, Index rows,
                                                                    Context& context) const {
  const SampleAndLogProb<T> z = base_->sample_and_log_prob(tape, rows, context);
  const WithLogDet<T> x = bijector_->forward_with_log_det(z.sample, context);
  return {x.value, z.log_prob - x.log_det};
}

template <class T>
void TransformedDistribution<T>::add_parameters(const std::string& prefix,
                                                nn::NamedParameters<T>& list) {
  base_->add_parameters(prefix, list);
  bijector_->add_parameters(prefix, list);
}

template class DiagonalNormal<float>;
template class DiagonalNormal<double>;
template class TransformedDistribution<float>;
template class TransformedDistribution<double>;

}  // namespace fjord::flows
