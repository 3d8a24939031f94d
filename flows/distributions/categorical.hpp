/// Distributions of whole numbers, which choose among a few.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Rows of one whole number k, 0 <= k < K, with probability weights[k] / sum(weights).
///
/// log_prob is the logarithm of a probability, -inf for every other number, and its derivatives
/// are 0.
template <class T>
class Categorical final : public Distribution<T> {
 public:
  /// Errors:  std::invalid_argument if there are no weights, one is negative, or their sum is not
  ///          positive and finite.
  explicit Categorical(std::vector<double> weights);

  explicit Categorical(nn::PartReader<T>& reader) : Categorical(reader.numbers("weights")) {}

  /// K of them, of sum 1.
  const std::vector<double>& probabilities() const& { return probabilities_; }

  const std::vector<double>& probabilities() const&& = delete;

  Index dim() const override { return 1; }

  std::optional<Tensor<double>> mean() const override;
  std::optional<Tensor<double>> variance() const override;
  std::optional<double> entropy() const override;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> weights_;
  std::vector<double> probabilities_;
};

/// Rows of one number, 1 with the given probability, else 0; otherwise as Categorical.
template <class T>
class Bernoulli final : public Distribution<T> {
 public:
  /// Errors:  std::invalid_argument unless 0 <= probability <= 1.
  explicit Bernoulli(double probability);

  explicit Bernoulli(nn::PartReader<T>& reader) : Bernoulli(reader.number("probability")) {}

  /// Those of 0 and 1.
  const std::vector<double>& probabilities() const& { return choice_.probabilities(); }

  const std::vector<double>& probabilities() const&& = delete;

  Index dim() const override { return 1; }

  std::optional<Tensor<double>> mean() const override { return choice_.mean(); }

  std::optional<Tensor<double>> variance() const override { return choice_.variance(); }

  std::optional<double> entropy() const override { return choice_.entropy(); }

  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override {
    return choice_.sample(tape, rows, context);
  }

  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override {
    return choice_.log_prob(x, context);
  }

  nn::Description<T> describe() override;

 private:
  double probability_;
  Categorical<T> choice_;
};

extern template class Categorical<float>;
extern template class Categorical<double>;
extern template class Bernoulli<float>;
extern template class Bernoulli<double>;

}  // namespace fjord::flows
