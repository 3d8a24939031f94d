/// Normal distributions with a full covariance.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// N(mean, L L^T).
template <class T>
class FullNormal final : public Distribution<T> {
 public:
  /// Takes the lower triangle L as its rows, one after another.
  ///
  /// Shapes:  mean D numbers; factor D (D + 1) / 2.
  /// Errors:  std::invalid_argument if the sizes do not match, or a number does not fit: not
  ///          finite, or one of the diagonal not positive, in T.
  FullNormal(std::vector<double> mean, std::vector<double> factor);

  explicit FullNormal(nn::PartReader<T>& reader)
      : FullNormal(reader.numbers("mean"), reader.numbers("factor")) {}

  /// L, [D, D].
  const Tensor<double>& factor() const& { return lower_; }

  const Tensor<double>& factor() const&& = delete;

  Index dim() const override { return lower_.shape()[0]; }

  std::optional<Tensor<double>> mean() const override;
  std::optional<Tensor<double>> variance() const override;
  std::optional<double> entropy() const override;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> means_;
  std::vector<double> factors_;
  Tensor<double> lower_;
  double log_det_ = 0;  // of L
};

extern template class FullNormal<float>;
extern template class FullNormal<double>;

}  // namespace fjord::flows
