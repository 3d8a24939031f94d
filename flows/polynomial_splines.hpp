/// Piecewise linear, quadratic and cubic splines.
#pragma once

#include "fjord/flows/spline.hpp"

namespace fjord::flows {

/// K bins of equal width with a slope each, which jumps at the knots.
///
/// Parameters of an entry are K logits of heights.
/// Source:  Mueller et al., Neural Importance Sampling, ACM Trans. Graph. 38, 2019, sec. 4.1.
template <class T>
class LinearSpline final : public Spline<T> {
 public:
  /// Errors:  std::invalid_argument if a setting is out of its range.
  explicit LinearSpline(const SplineSettings& settings = {}) : Spline<T>(settings) {}

  explicit LinearSpline(nn::PartReader<T>& reader) : LinearSpline(read_spline(reader)) {}

  Index parameter_count() const override { return this->bins(); }

 private:
  WithLogSlope<T> apply_unit(const Var<T>& u, const Var<T>& parameters) const override;
  WithLogSlope<T> invert_unit(const Var<T>& v, const Var<T>& parameters) const override;

  const char* type() const override { return "linear_spline"; }
};

/// The integral of a piecewise linear density: K bins with widths, and densities at the K - 1 inner
/// knots; at the outer ones the density is 1.
///
/// Parameters of an entry are K logits of widths and K - 1 of densities: in proportion to each
/// other these are as `make_bins` has its sizes.
/// Source:  Mueller et al., as above, sec. 4.2. The ends are those of nflows.
template <class T>
class QuadraticSpline final : public Spline<T> {
 public:
  /// Errors:  std::invalid_argument if a setting is out of its range.
  explicit QuadraticSpline(const SplineSettings& settings = {}) : Spline<T>(settings) {}

  explicit QuadraticSpline(nn::PartReader<T>& reader) : QuadraticSpline(read_spline(reader)) {}

  Index parameter_count() const override { return 2 * this->bins() - 1; }

 private:
  WithLogSlope<T> apply_unit(const Var<T>& u, const Var<T>& parameters) const override;
  WithLogSlope<T> invert_unit(const Var<T>& v, const Var<T>& parameters) const override;

  const char* type() const override { return "quadratic_spline"; }
};

/// Monotone cubics through K + 1 knots, with Steffen's slopes at the inner ones.
///
/// Parameters of an entry are K logits of widths, K of heights, and two numbers a of the slopes at
/// the ends: 3 sigmoid(a - log 2) times the slope of the first or the last bin.
/// Source:  Durkan et al., Cubic-Spline Flows, 2019, sec. 3; Steffen, A simple method for monotonic
///          interpolation in one dimension, Astron. Astrophys. 239, 1990.
template <class T>
class CubicSpline final : public Spline<T> {
 public:
  /// Errors:  std::invalid_argument if a setting is out of its range.
  explicit CubicSpline(const SplineSettings& settings = {}) : Spline<T>(settings) {}

  explicit CubicSpline(nn::PartReader<T>& reader) : CubicSpline(read_spline(reader)) {}

  Index parameter_count() const override { return 2 * this->bins() + 2; }

 private:
  WithLogSlope<T> apply_unit(const Var<T>& u, const Var<T>& parameters) const override;
  WithLogSlope<T> invert_unit(const Var<T>& v, const Var<T>& parameters) const override;

  const char* type() const override { return "cubic_spline"; }
};

extern template class LinearSpline<float>;
extern template class LinearSpline<double>;
extern template class QuadraticSpline<float>;
extern template class QuadraticSpline<double>;
extern template class CubicSpline<float>;
extern template class CubicSpline<double>;

}  // namespace fjord::flows
