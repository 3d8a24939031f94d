#include "fjord/ode/controller.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/ode/inverse_root.hpp"

namespace fjord::ode {

double PidController::factor(const Attempt& attempt) const {
  if (!std::isfinite(attempt.error)) return options_.min_factor;
  // An error of 0 says nothing but that the step may grow.
  constexpr double least = 1e-10;
  const auto [integral, proportional, derivative, safety, shrinks, grows] = options_;
  const double order = attempt.order;
  const double classic = safety * inverse_root(attempt.square, 2 * attempt.order);
  if (attempt.error > 1) return std::max(classic, shrinks);
  const double own = integral + proportional + derivative;
  double factor = own == 1 ? classic : safety * std::pow(attempt.square, -0.5 * own / order);
  if (proportional != 0 || derivative != 0) {
    factor *= std::pow(std::max(attempt.last, least), (proportional + 2 * derivative) / order) *
              std::pow(std::max(attempt.second_last, least), -derivative / order);
  }
  // After a rejection the next step does not grow: it was found to be too long just now.
  return std::clamp(factor, shrinks, attempt.was_rejected ? 1.0 : grows);
}

// A longer jump than tenfold makes the controller overshoot and then reject: FAC2 of Hairer's
// dopri5.f.
constinit const PidController integral_control("integral");
constinit const PidController pi_control("pi", {.integral = 0.3, .proportional = 0.4});
// The exponents 1/18, 1/9 and 1/18 of the last three errors.
constinit const PidController pid_control("pid", {.integral = 2.0 / 9,
                                                  .proportional = -2.0 / 9,
                                                  .derivative = 1.0 / 18});

std::vector<const Controller*> controllers() {
  return {&integral_control, &pi_control, &pid_control};
}

}  // namespace fjord::ode
