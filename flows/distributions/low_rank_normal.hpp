/// Normal distributions of which few directions vary much.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// N(mean, diag(diagonal) + W W^T), with a factor W of few columns.
template <class T>
class LowRankNormal final : public Distribution<T> {
 public:
  /// Takes W as its rows, one after another.
  ///
  /// Shapes:  mean and diagonal D numbers; factor D R, R >= 1.
  /// Errors:  std::invalid_argument if the sizes do not match, or a number does not fit: not
  ///          finite, or one of the diagonal not positive, in T.
  LowRankNormal(std::vector<double> mean, std::vector<double> diagonal, std::vector<double> factor);

  explicit LowRankNormal(nn::PartReader<T>& reader)
      : LowRankNormal(reader.numbers("mean"), reader.numbers("diagonal"),
                      reader.numbers("factor")) {}

  /// diag(diagonal) + W W^T, [D, D].
  Tensor<double> covariance() const;

  Index dim() const override { return wide_.shape()[0]; }

  std::optional<Tensor<double>> mean() const override;
  std::optional<Tensor<double>> variance() const override;
  std::optional<double> entropy() const override;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  /// Source:  Woodbury's identity and the determinant lemma, of which the quadratic form is written
  ///          as (y - W z)^T D^-1 (y - W z) + z^T z, z = (I + W^T D^-1 W)^-1 W^T D^-1 y: a sum of
  ///          squares, where the usual difference cancels.
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> means_;
  std::vector<double> diagonal_;
  std::vector<double> factors_;
  Tensor<double> wide_;        // W, [D, R]
  Tensor<double> projection_;  // from rows y to rows z, [D, R]
  double log_det_ = 0;         // of the covariance
};

extern template class LowRankNormal<float>;
extern template class LowRankNormal<double>;

}  // namespace fjord::flows
