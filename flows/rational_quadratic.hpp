/// Rational-quadratic splines.
#pragma once

#include "fjord/flows/spline.hpp"

namespace fjord::flows {

/// A monotone rational-quadratic spline: K bins with widths, heights, and slopes at the K - 1 inner
/// knots; at the outer ones the slope is 1.
///
/// Parameters of an entry are K logits of widths, K of heights, and K - 1 numbers a with slopes
/// m + softplus(a + c): m is `least_slope`, and c makes a = 0 the slope 1.
/// Source:  Gregory & Delbourgo, Piecewise rational quadratic interpolation to monotonic data, IMA
///          J. Numer. Anal. 2, 1982; Durkan et al., Neural Spline Flows, NeurIPS 2019, sec. 3.1.
template <class T>
class RationalQuadraticSpline final : public Spline<T> {
 public:
  static constexpr double least_slope = 1e-3;  ///< as in nflows

  /// Errors:  std::invalid_argument if a setting is out of its range.
  explicit RationalQuadraticSpline(const SplineSettings& settings = {}) : Spline<T>(settings) {}

  explicit RationalQuadraticSpline(nn::PartReader<T>& reader)
      : RationalQuadraticSpline(read_spline(reader)) {}

  Index parameter_count() const override { return 3 * this->bins() - 1; }

 private:
  WithLogSlope<T> apply_unit(const Var<T>& u, const Var<T>& parameters) const override;
  WithLogSlope<T> invert_unit(const Var<T>& v, const Var<T>& parameters) const override;

  const char* type() const override { return "rational_quadratic"; }
};

extern template class RationalQuadraticSpline<float>;
extern template class RationalQuadraticSpline<double>;

}  // namespace fjord::flows
