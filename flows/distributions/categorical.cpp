#include "fjord/flows/distributions/categorical.hpp"

#include <cmath>
#include <limits>

#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/choice.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

template <class T>
Categorical<T>::Categorical(std::vector<double> weights)
    : weights_(std::move(weights)), probabilities_(weights_) {
  double sum = 0;
  for (const double weight : weights_) {
    require(weight >= 0, "categorical",
            [&] { return "weights must not be negative, got " + ode::short_number(weight); });
    sum += weight;
  }
  require(sum > 0 && std::isfinite(sum), "categorical", [&] {
    return "the sum of the weights must be positive and finite, got " + ode::short_number(sum);
  });
  for (double& p : probabilities_) p /= sum;
}

template <class T>
std::optional<Tensor<double>> Categorical<T>::mean() const {
  double mean = 0;
  for (std::size_t k = 0; k < probabilities_.size(); ++k)
    mean += probabilities_[k] * static_cast<double>(k);
  return Tensor<double>{mean};
}

template <class T>
std::optional<Tensor<double>> Categorical<T>::variance() const {
  const double mean = this->mean().value()(0);
  double variance = 0;
  for (std::size_t k = 0; k < probabilities_.size(); ++k)
    variance += probabilities_[k] * std::pow(static_cast<double>(k) - mean, 2);
  return Tensor<double>{variance};
}

template <class T>
std::optional<double> Categorical<T>::entropy() const {
  double entropy = 0;
  for (const double p : probabilities_) entropy -= p > 0 ? p * std::log(p) : 0;
  return entropy;
}

template <class T>
Var<T> Categorical<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  Tensor<T> x = Tensor<T>::zeros({rows, 1});
  const std::vector<std::size_t> choices =
      choose(probabilities_, context.random, context.first_row, rows);
  for (Index row = 0; row < rows; ++row)
    x(row, 0) = static_cast<T>(choices[static_cast<std::size_t>(row)]);
  return tape.input(x);
}

template <class T>
Var<T> Categorical<T>::log_prob(const Var<T>& x, Context<T>&) const {
  check_rows(x, 1, "categorical");
  const TensorView<T> numbers = x.value();
  const Index rows = numbers.shape()[0];
  T* log_prob = x.tape().new_values(rows);
  for (Index row = 0; row < rows; ++row) {
    const auto number = static_cast<double>(numbers(row, 0));
    const bool is_choice = number >= 0 && number < static_cast<double>(probabilities_.size()) &&
                           number == std::floor(number);
    log_prob[row] = -std::numeric_limits<T>::infinity();
    if (is_choice)
      log_prob[row] = static_cast<T>(std::log(probabilities_[static_cast<std::size_t>(number)]));
    if (std::isnan(number)) log_prob[row] = std::numeric_limits<T>::quiet_NaN();
  }
  return x.tape().borrow(x.tape().keep_shape({rows}), log_prob);
}

template <class T>
nn::Description<T> Categorical<T>::describe() {
  return nn::Description<T>("categorical").set("weights", weights_);
}

namespace {

double checked(double probability) {
  require(probability >= 0 && probability <= 1, "bernoulli", [&] {
    return "the probability must be from 0 to 1, got " + ode::short_number(probability);
  });
  return probability;
}

}  // namespace

template <class T>
Bernoulli<T>::Bernoulli(double probability)
    : probability_(checked(probability)),
      choice_(std::vector<double>{1 - probability, probability}) {}

template <class T>
nn::Description<T> Bernoulli<T>::describe() {
  return nn::Description<T>("bernoulli").set("probability", probability_);
}

template class Categorical<float>;
template class Categorical<double>;
template class Bernoulli<float>;
template class Bernoulli<double>;

}  // namespace fjord::flows
