#include "fjord/flows/loss.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

template <class T>
NegativeLogLikelihood<T>::NegativeLogLikelihood(
    const std::vector<WeightedRegularizer<T>>& regularizers) {
  for (const auto& [regularizer, weight] : regularizers) {
    require(regularizer != nullptr, "loss", "a regulariser is null");
    const double size = weight;
    require(size >= 0 && std::isfinite(size), "loss", [&] {
      return "weights of regularisers must not be negative, got " + ode::short_number(size);
    });
    regularizers_.push_back(regularizer);
    weights_.push_back(static_cast<T>(weight));
  }
}

template <class T>
Var<T> NegativeLogLikelihood<T>::of_rows(const Distribution<T>& model, const Var<T>& x,
                                         Context<T>& context) const {
  const bool is_training = context.gradient->has_derivatives();
  if (regularizers_.empty() || !is_training) return -model.log_prob(x, context);
  context.regularizers = regularizers_;
  const Var<T> log_prob = model.log_prob(x, context);
  require(!context.penalties.is_empty(), "loss",
          "the model has no continuous flow, which regularisers are for");
  const auto count = static_cast<Index>(weights_.size());
  Tape<T>& tape = x.tape();
  const Var<T> weights = tape.borrow(tape.keep_shape({count}), weights_.data());
  return sum(context.penalties * weights, {1}) - log_prob;
}

template class NegativeLogLikelihood<float>;
template class NegativeLogLikelihood<double>;

}  // namespace fjord::flows
