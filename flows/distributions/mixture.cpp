#include "fjord/flows/distributions/mixture.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/join.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/choice.hpp"
#include "fjord/flows/distributions/inner_context.hpp"
#include "fjord/flows/var_list.hpp"

namespace fjord::flows {

template <class T>
Mixture<T>::Mixture(std::vector<std::unique_ptr<Distribution<T>>> components)
    : components_(std::move(components)),
      logits_(Tensor<T>::zeros({static_cast<Index>(components_.size())})) {
  require(!components_.empty(), "mixture", "at least one component is needed, got none");
  for (const auto& component : components_) {
    require(component != nullptr, "mixture", "distributions are needed, got null");
    require(component->dim() == dim(), "mixture", [&] {
      return "components of one width are needed, got " + std::to_string(dim()) + " and " +
             std::to_string(component->dim());
    });
  }
}

template <class T>
std::vector<double> Mixture<T>::probabilities() const {
  std::vector<double> weights;
  for (const T logit : logits_.value().storage()) weights.push_back(static_cast<double>(logit));
  const double most = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - most);
  for (double& weight : weights) weight /= sum;
  return weights;
}

template <class T>
std::optional<Tensor<double>> Mixture<T>::mean() const {
  const std::vector<double> weights = probabilities();
  Tensor<double> mean = Tensor<double>::zeros({dim()});
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const std::optional<Tensor<double>> of_component = components_[k]->mean();
    if (!of_component) return std::nullopt;
    for (Index d = 0; d < dim(); ++d) mean(d) += weights[k] * (*of_component)(d);
  }
  return mean;
}

template <class T>
std::optional<Tensor<double>> Mixture<T>::variance() const {
  const std::optional<Tensor<double>> mean = this->mean();
  if (!mean) return std::nullopt;
  const std::vector<double> weights = probabilities();
  Tensor<double> variance = Tensor<double>::zeros({dim()});
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const std::optional<Tensor<double>> inside = components_[k]->variance();
    if (!inside) return std::nullopt;
    const Tensor<double> of_component = components_[k]->mean().value();
    for (Index d = 0; d < dim(); ++d)
      variance(d) += weights[k] * ((*inside)(d) + std::pow(of_component(d) - (*mean)(d), 2));
  }
  return variance;
}

template <class T>
Var<T> Mixture<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  const std::vector<std::size_t> choices =
      choose(probabilities(), context.random, context.first_row, rows);
  Tensor<T> x = Tensor<T>::zeros({rows, dim()});
  for (std::size_t k = 0; k < components_.size(); ++k) {
    // All rows, so that each has the number it would have in other company.
    const Var<T> drawn = with_inner_context(
        context, k, [&](Context<T>& inner) { return components_[k]->sample(tape, rows, inner); });
    const TensorView<T> values = drawn.value();
    for (Index row = 0; row < rows; ++row) {
      if (choices[static_cast<std::size_t>(row)] != k) continue;
      for (Index d = 0; d < dim(); ++d) x(row, d) = values(row, d);
    }
  }
  return tape.input(x);
}

template <class T>
Var<T> Mixture<T>::log_prob(const Var<T>& x, Context<T>& context) const {
  check_rows(x, dim(), "mixture");
  VarList<T> parts(x.tape(), components_.size());
  for (std::size_t k = 0; k < components_.size(); ++k) {
    parts.add(with_inner_context(
        context, k, [&](Context<T>& inner) { return components_[k]->log_prob(x, inner); }));
  }
  const Var<T> log_weights = log_softmax(x.tape().bind(logits_));
  return logsumexp(stack(parts.all(), 1) + log_weights, {1});
}

template <class T>
void Mixture<T>::adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) {
  check_rows(x, dim(), "mixture");
  for (std::size_t k = 0; k < components_.size(); ++k) {
    with_inner_context(context, k, [&](Context<T>& inner) {
      components_[k]->adapt(x, inner, step);
      return 0;
    });
  }
}

template <class T>
Index Mixture<T>::adapting_steps() const {
  Index most = 0;
  for (const auto& component : components_) most = std::max(most, component->adapting_steps());
  return most;
}

template <class T>
nn::Description<T> Mixture<T>::describe() {
  return nn::Description<T>("mixture")
      .children("components", components_)
      .parameter("logits", logits_);
}

template class Mixture<float>;
template class Mixture<double>;

}  // namespace fjord::flows
