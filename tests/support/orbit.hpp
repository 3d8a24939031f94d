/// A problem whose solution is known at every time, and the fit of an order.
#pragma once

#include <cmath>
#include <span>
#include <vector>

namespace fjord::test {

/// Kepler's orbit of eccentricity 0.66 and period 2 pi at time t: two positions, two velocities.
///
/// Source:  Goldstein, Classical Mechanics, 2nd ed., sec. 3.8; Kepler's equation by Newton's
///          method.
inline std::vector<double> orbit(double t) {
  constexpr double e = 0.66;
  double u = t;
  for (int i = 0; i < 100; ++i) u -= (u - e * std::sin(u) - t) / (1 - e * std::cos(u));
  const double distance = 1 - e * std::cos(u);
  const double width = std::sqrt(1 - e * e);
  return {std::cos(u) - e, width * std::sin(u), -std::sin(u) / distance,
          width * std::cos(u) / distance};
}

/// Newton's law for it.
inline void attraction(double, std::span<const double> y, std::span<double> dydt) {
  const double pull = std::pow(y[0] * y[0] + y[1] * y[1], -1.5);
  dydt[0] = y[2];
  dydt[1] = y[3];
  dydt[2] = -pull * y[0];
  dydt[3] = -pull * y[1];
}

/// The slope of log error over log step, by least squares, of errors at halved steps.
inline double fitted_slope(std::span<const double> errors) {
  const double middle = static_cast<double>(errors.size() - 1) / 2;
  double products = 0;
  double squares = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const double x = static_cast<double>(i) - middle;
    products -= x * std::log2(errors[i]);
    squares += x * x;
  }
  return products / squares;
}

}  // namespace fjord::test
