/// Affine maps of single numbers.
#pragma once

#include "fjord/flows/transformer.hpp"

namespace fjord::flows {

/// x + b, of slope 1.
///
/// Source:  Dinh et al., NICE, 2014, sec. 3.2.
template <class T>
class AdditiveTransformer final : public Transformer<T> {
 public:
  AdditiveTransformer() = default;

  explicit AdditiveTransformer(nn::PartReader<T>& /*reader*/) {}

  Index parameter_count() const override { return 1; }

  WithLogSlope<T> apply(const Var<T>& x, const Var<T>& parameters) const override;
  WithLogSlope<T> invert(const Var<T>& y, const Var<T>& parameters) const override;
  nn::Description<T> describe() override;
};

/// x e^s + b with s = c tanh(a / c), so that slopes stay between e^-c and e^c.
///
/// Parameters of an entry are b and a.
/// Source:  Dinh et al., Density estimation using Real NVP, ICLR 2017, sec. 3.2 and 4.1.
template <class T>
class AffineTransformer final : public Transformer<T> {
 public:
  /// log(1000): slopes from 0.001 to 1000, as in zuko's MonotonicAffineTransform.
  static constexpr double default_bound = 6.907755278982137;

  /// `bound` is c.
  ///
  /// Errors:  std::invalid_argument unless the bound is positive and finite in T.
  explicit AffineTransformer(double bound = default_bound);

  explicit AffineTransformer(nn::PartReader<T>& reader)
      : AffineTransformer(reader.number("bound")) {}

  Index parameter_count() const override { return 2; }

  WithLogSlope<T> apply(const Var<T>& x, const Var<T>& parameters) const override;
  WithLogSlope<T> invert(const Var<T>& y, const Var<T>& parameters) const override;
  nn::Description<T> describe() override;

 private:
  Var<T> log_scale(const Var<T>& parameters) const;

  double bound_;
};

extern template class AdditiveTransformer<float>;
extern template class AdditiveTransformer<double>;
extern template class AffineTransformer<float>;
extern template class AffineTransformer<double>;

}  // namespace fjord::flows
