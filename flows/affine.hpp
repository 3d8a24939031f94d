/// Affine maps of columns with trained numbers.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// y_d = exp(log_scale_d) x_d + shift_d; the identity at first.
template <class T>
class Affine final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit Affine(Index dim);
  explicit Affine(nn::PartReader<T>& reader);

  /// Makes it the map y_d = scale_d x_d + shift_d.
  ///
  /// Errors:  std::invalid_argument if there are not D numbers each, all finite and the scales
  ///          positive in T, or while a tape holds the parameters.
  void set(const std::vector<double>& scale, const std::vector<double>& shift);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  Parameter<T> log_scale_;
  Parameter<T> shift_;
};

/// y_d = x_d + shift_d; the identity at first.
template <class T>
class Shift final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit Shift(Index dim);
  explicit Shift(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  Parameter<T> shift_;
};

/// y_d = exp(log_scale_d) x_d; the identity at first.
template <class T>
class Scale final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit Scale(Index dim);
  explicit Scale(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  Parameter<T> log_scale_;
};

extern template class Affine<float>;
extern template class Affine<double>;
extern template class Shift<float>;
extern template class Shift<double>;
extern template class Scale<float>;
extern template class Scale<double>;

}  // namespace fjord::flows
