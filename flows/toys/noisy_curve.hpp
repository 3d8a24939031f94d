/// The density of points on curves of the plane with Gaussian noise.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "fjord/flows/toys/quadrature.hpp"

namespace fjord::flows {

using PlanePoint = std::array<double, 2>;

/// A smooth curve of the plane, drawn from uniformly in its parameter.
struct Curve {
  std::function<PlanePoint(double)> at;
  double low = 0;    ///< the parameter's range
  double high = 0;   ///< > low
  double speed = 0;  ///< a bound of |d at / dt|
  int panels = 1;    ///< so many that the curve turns by less than about 0.3 radians in each
};

/// A point of one of the curves, each as likely, plus independent normal noise in both coordinates.
///
/// Units:   `noise` is the standard deviation, >= 0; densities and entropies need more than 0.
class NoisyCurves final {
 public:
  NoisyCurves(std::vector<Curve> curves, double noise);
  NoisyCurves(const NoisyCurves&) = delete;
  NoisyCurves& operator=(const NoisyCurves&) = delete;

  double noise() const { return noise_; }

  /// The point of two uniform and two normal numbers.
  PlanePoint place(std::span<const double> uniform, std::span<const double> normal) const;
  /// The logarithm of the density, by a quadrature along the curves in panels that adapt to the
  /// point, to a relative error of about 1e-9 however far it is.
  double log_density(PlanePoint point) const;
  /// The entropy in nats, in a time that grows as the noise becomes small.
  double entropy() const;

 private:
  struct Panel {
    const Curve* curve;
    double low;
    double high;
    PlanePoint middle;
  };

  struct Sum;

  // Half the square of the distance in deviations.
  double energy(PlanePoint at, PlanePoint point) const;
  double energy_at(const Curve& curve, double t, PlanePoint point) const;
  // What no energy in an interval of the parameter is below.
  double bound(const Curve& curve, double width, double at_middle) const;
  double least_energy(PlanePoint point) const;
  void add(const Curve& curve, double low, double high, Sum& sum) const;

  std::vector<Curve> curves_;
  double noise_;
  std::vector<Panel> panels_;
};

}  // namespace fjord::flows
