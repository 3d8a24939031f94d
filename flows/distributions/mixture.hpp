/// Mixtures of distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Rows of one of several distributions, chosen with probabilities softmax(logits).
///
/// Samples are leaves: no derivative flows to the parameters.
template <class T>
class Mixture final : public Distribution<T> {
 public:
  /// The logits, which are trained, begin at 0: equal probabilities.
  ///
  /// Errors:  std::invalid_argument if there is no component, one is null, or their widths differ.
  explicit Mixture(std::vector<std::unique_ptr<Distribution<T>>> components);

  explicit Mixture(nn::PartReader<T>& reader)
      : Mixture(reader.template children<Distribution<T>>("components")) {
    reader.expect_weights(static_cast<double>(components_.size()));
  }

  /// The logits, [K].
  Parameter<T>& logits() { return logits_; }

  Index dim() const override { return components_[0]->dim(); }

  std::optional<Tensor<double>> mean() const override;
  std::optional<Tensor<double>> variance() const override;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;

  /// Every component, to all rows.
  void adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) override;
  Index adapting_steps() const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> probabilities() const;

  std::vector<std::unique_ptr<Distribution<T>>> components_;
  Parameter<T> logits_;
};

extern template class Mixture<float>;
extern template class Mixture<double>;

}  // namespace fjord::flows
