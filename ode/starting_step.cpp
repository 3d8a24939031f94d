#include "fjord/ode/starting_step.hpp"

#include <algorithm>
#include <cmath>

namespace fjord::ode {

double starting_step(double state_norm, double slope_norm, int order, double longest,
                     const std::function<double(double)>& slope_change) {
  double trial = 0.01 * state_norm / slope_norm;
  // Norms may overflow in single precision.
  if (state_norm < 1e-5 || slope_norm < 1e-5 || !(trial > 0)) trial = 1e-6;
  trial = std::min(trial, longest);
  const double curvature = slope_change(trial) / trial;
  const double steepest = std::max(slope_norm, curvature);
  const double step =
      steepest <= 1e-15 ? std::max(1e-6, trial * 1e-3) : std::pow(0.01 / steepest, 1.0 / order);
  // A trial that ran into infinities says nothing but that steps must be short.
  return std::isfinite(step) && step > 0 ? std::min(100 * trial, step) : trial;
}

}  // namespace fjord::ode
