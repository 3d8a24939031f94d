/// The length of the first step.
#pragma once

#include <functional>

namespace fjord::ode {

/// The length of a first step for a method of the given order, from the slope and its change:
/// Hairer's rule.
///
/// Units:   norms as of scaled_norm; `slope_change` maps a trial step, at most `longest`, to the
///          norm of f(t0 + h, y0 + h f0) - f0.
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.4, "Starting Step Size".
double starting_step(double state_norm, double slope_norm, int order, double longest,
                     const std::function<double(double)>& slope_change);

}  // namespace fjord::ode
