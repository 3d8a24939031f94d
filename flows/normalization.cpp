#include "fjord/flows/normalization.hpp"

#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/columns.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

// Moves running numbers by a share of their way to the newest.
template <class T>
void approach(Parameter<T>& running, const std::vector<double>& newest, double share) {
  const std::span<T> values = running.mutable_values();
  for (std::size_t d = 0; d < values.size(); ++d) {
    const auto value = static_cast<double>(values[d]);
    values[d] = static_cast<T>(value - share * (value - newest[d]));
  }
}

}  // namespace

template <class T>
ActNorm<T>::ActNorm(Index dim) : dim_(dim), affine_(dim), is_started_(Tensor<T>::zeros({1})) {}

template <class T>
ActNorm<T>::ActNorm(nn::PartReader<T>& reader) : ActNorm(read_dim(reader, 2)) {}

template <class T>
WithLogDet<T> ActNorm<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  return affine_.forward_with_log_det(x, context);
}

template <class T>
WithLogDet<T> ActNorm<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  return affine_.inverse_with_log_det(y, context);
}

template <class T>
Var<T> ActNorm<T>::adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) {
  if (step == 0 && is_started_.value().item() == 0) {
    check_rows(y, dim_, "act_norm");
    const ColumnMoments moments = column_moments<T>(y.value(), "act_norm");
    affine_.set(column_deviations(moments, "act_norm"), moments.mean);
    is_started_.mutable_values()[0] = 1;
  }
  return affine_.inverse(y, context);
}

template <class T>
nn::Description<T> ActNorm<T>::describe() {
  return nn::Description<T>("act_norm")
      .set("dim", dim_)
      .inner("affine", affine_)
      .buffer("is_started", is_started_);
}

template <class T>
MovingBatchNorm<T>::MovingBatchNorm(Index dim, const MovingBatchNormOptions& options)
    : options_(options),
      log_weight_(column_zeros<T>(dim, "moving_batch_norm")),
      bias_(column_zeros<T>(dim, "moving_batch_norm")),
      running_mean_(column_zeros<T>(dim, "moving_batch_norm")),
      running_variance_(Tensor<T>::ones({dim})) {
  require(options.decay > 0 && options.decay <= 1, "moving_batch_norm",
          [&] { return "a decay in (0, 1] is needed, got " + ode::short_number(options.decay); });
  require(
      std::isfinite(options.epsilon) && static_cast<T>(options.epsilon) > 0, "moving_batch_norm",
      [&] { return "a positive epsilon is needed, got " + ode::short_number(options.epsilon); });
}

template <class T>
MovingBatchNorm<T>::MovingBatchNorm(nn::PartReader<T>& reader)
    : MovingBatchNorm(read_dim(reader, 4),
                      {.decay = reader.number("decay"), .epsilon = reader.number("epsilon")}) {}

template <class T>
Var<T> MovingBatchNorm<T>::log_slope(Tape<T>& tape) const {
  const Var<T> variance = tape.bind(running_variance_) + static_cast<T>(options_.epsilon);
  return tape.bind(log_weight_) - log(variance) * T(0.5);
}

template <class T>
WithLogDet<T> MovingBatchNorm<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, bias_.value().size(), "moving_batch_norm");
  Tape<T>& tape = x.tape();
  const Var<T> widening = -log_slope(tape);
  return {(x - tape.bind(bias_)) * exp(widening) + tape.bind(running_mean_),
          log_det_of_rows(x, sum(widening))};
}

template <class T>
WithLogDet<T> MovingBatchNorm<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, bias_.value().size(), "moving_batch_norm");
  Tape<T>& tape = y.tape();
  const Var<T> slope = log_slope(tape);
  return {(y - tape.bind(running_mean_)) * exp(slope) + tape.bind(bias_),
          log_det_of_rows(y, sum(slope))};
}

template <class T>
Var<T> MovingBatchNorm<T>::adapt(const Var<T>& y, Context<T>& context, std::uint64_t) {
  check_rows(y, bias_.value().size(), "moving_batch_norm");
  const auto rows = static_cast<double>(y.shape()[0]);
  require(rows > 1, "moving_batch_norm", "two rows at least are needed for a variance");
  ColumnMoments moments = column_moments<T>(y.value(), "moving_batch_norm");
  for (double& variance : moments.variance) variance *= rows / (rows - 1);
  approach(running_mean_, moments.mean, options_.decay);
  approach(running_variance_, moments.variance, options_.decay);
  return this->inverse(y, context);
}

template <class T>
nn::Description<T> MovingBatchNorm<T>::describe() {
  return nn::Description<T>("moving_batch_norm")
      .set("dim", bias_.value().size())
      .set("decay", options_.decay)
      .set("epsilon", options_.epsilon)
      .parameter("log_weight", log_weight_)
      .parameter("bias", bias_)
      .buffer("running_mean", running_mean_)
      .buffer("running_variance", running_variance_);
}

template class ActNorm<float>;
template class ActNorm<double>;
template class MovingBatchNorm<float>;
template class MovingBatchNorm<double>;

}  // namespace fjord::flows
