/// Maps that bring the rows of data between other maps to a common size.
///
/// Base to data is the affine map that undoes the normalization.
#pragma once

#include <limits>

#include "fjord/flows/affine.hpp"

namespace fjord::flows {

/// An affine map whose numbers are trained, after a start at those that give the first rows of
/// training the mean 0 and the variance 1 (over n) in every column.
///
/// `adapt` makes this start at step 0, once: also a loaded model keeps its numbers then.
/// Errors:  std::invalid_argument, of that start, if a column of the rows is constant, or a number
///          is not finite.
/// Source:  Kingma & Dhariwal, Glow: generative flow with invertible 1x1 convolutions, 2018, sec.
///          3.1; there the parameters are those of the inverse map.
template <class T>
class ActNorm final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit ActNorm(Index dim);
  explicit ActNorm(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  Var<T> adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) override;

  Index adapting_steps() const override { return 1; }

  nn::Description<T> describe() override;

 private:
  Index dim_;
  Affine<T> affine_;
  Parameter<T> is_started_;  // 0 or 1
};

struct MovingBatchNormOptions {
  double decay = 0.1;     ///< share of the moments of the newest rows, in (0, 1]
  double epsilon = 1e-4;  ///< added to variances, > 0
};

/// Normalization by running moments of the data, then a trained affine map. From data to base,
///
///     x = (y - running_mean) exp(log_weight) / sqrt(running_variance + epsilon) + bias.
///
/// `adapt` moves the running moments, 0 and 1 at first, by `decay` towards those of the rows; the
/// variance is over n - 1. They are constants to every derivative and for all rows, so the density
/// of a row depends on no other row.
/// Errors:  std::invalid_argument, of `adapt`, if there are fewer than two rows, or a number is not
///          finite.
/// Source:  Grathwohl et al., FFJORD, 2019, and its code, the moving batch norm without a lag;
///          there the moments move after the rows are mapped.
/// Note:    A normalization by the moments of the rows at hand, as Real NVP (ICLR 2017, sec. 3.7)
///          has it in training, is not a bijector of rows: each row would be mapped by its company,
///          and the loss would not be a likelihood. This part takes its place: it maps rows by the
///          running moments in training as well, so what is trained is what is scored.
template <class T>
class MovingBatchNorm final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive or an option is out of its range.
  explicit MovingBatchNorm(Index dim, const MovingBatchNormOptions& options = {});
  explicit MovingBatchNorm(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  Var<T> adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) override;

  Index adapting_steps() const override { return std::numeric_limits<Index>::max(); }

  nn::Description<T> describe() override;

 private:
  // log of the slope from data to base, [D].
  Var<T> log_slope(Tape<T>& tape) const;

  MovingBatchNormOptions options_;
  Parameter<T> log_weight_;
  Parameter<T> bias_;
  Parameter<T> running_mean_;
  Parameter<T> running_variance_;
};

extern template class ActNorm<float>;
extern template class ActNorm<double>;
extern template class MovingBatchNorm<float>;
extern template class MovingBatchNorm<double>;

}  // namespace fjord::flows
