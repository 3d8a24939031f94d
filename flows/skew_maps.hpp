/// Trained maps of every number that change the shape of a distribution: its skewness and tails.
#pragma once

#include "fjord/flows/elementwise.hpp"

namespace fjord::flows {

/// y = sinh((asinh(x) + skewness_d) tailweight_d); the identity at first.
///
/// Positive skewness leans to the right, a tailweight above 1 makes the tails heavier.
/// Source:  Jones & Pewsey, Sinh-arcsinh distributions, Biometrika 96, 2009; with the signs and the
///          order of TensorFlow Probability, tfp.bijectors.SinhArcsinh, but not its factor that
///          fixes y(2) = 2.
/// Note:    The parameters are the skewness and the logarithm of the tailweight.
template <class T>
class SinhArcsinh final : public Elementwise<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit SinhArcsinh(Index dim);
  explicit SinhArcsinh(nn::PartReader<T>& reader);

  nn::Description<T> describe() override;

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;
  Index dim() const override;

  Parameter<T> skewness_;
  Parameter<T> log_tailweight_;
};

/// From normal to skewed numbers: the inverse of the transformation of Yeo and Johnson, with
/// lambda_d in (0, 2), where it is a map of the whole line; the identity, lambda = 1, at first.
///
/// With m = lambda for y >= 0 and 2 - lambda for y < 0, |x| = ((1 + |y|)^m - 1) / m, and x has the
/// sign of y: lambda < 1 draws y out to the right.
/// Source:  Yeo & Johnson, A new family of power transformations, Biometrika 87, 2000.
/// Note:    The parameter is the logit of lambda / 2.
template <class T>
class YeoJohnson final : public Elementwise<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit YeoJohnson(Index dim);
  explicit YeoJohnson(nn::PartReader<T>& reader);

  nn::Description<T> describe() override;

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;
  Index dim() const override;
  // m for numbers of these signs.
  Var<T> power(const Var<T>& is_upper) const;

  Parameter<T> logit_;
};

extern template class SinhArcsinh<float>;
extern template class SinhArcsinh<double>;
extern template class YeoJohnson<float>;
extern template class YeoJohnson<double>;

}  // namespace fjord::flows
