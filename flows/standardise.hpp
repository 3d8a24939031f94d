/// The units of a table.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// y_d = scale_d x_d + mean_d with fixed numbers: from standard units to those of the data.
template <class T>
class Standardise final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if the sizes differ, or a number does not fit: not finite, a
  ///          scale not positive, in T, or a mean of more than 2^17 scales in float, which rounds
  ///          numbers there by more than a hundredth of the scale.
  Standardise(std::vector<double> mean, std::vector<double> scale);

  explicit Standardise(nn::PartReader<T>& reader)
      : Standardise(reader.numbers("mean"), reader.numbers("scale")) {}

  /// With the means of the columns of rows and their standard deviations, the roots of the mean
  /// squares (over n, not n - 1): the inverse gives these rows the mean 0 and the variance 1.
  ///
  /// Shapes:  rows [N, D].
  /// Errors:  std::invalid_argument if a column is constant, or a number is not finite; as the
  ///          constructor.
  static std::unique_ptr<Standardise> of_rows(const Tensor<T>& rows);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> means_;
  std::vector<double> scales_;
  Tensor<T> mean_;
  Tensor<T> scale_;
  T log_det_;
};

extern template class Standardise<float>;
extern template class Standardise<double>;

}  // namespace fjord::flows
