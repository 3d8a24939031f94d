#include "fjord/ode/step_length.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fjord::ode {

double StepLength::aim(const Stops& stops, double t) {
  const double stop = stops.next(t);
  const double left = stop - t;
  const double longest = options_.largest_step.value_or(std::abs(left));
  const double h = std::clamp(std::abs(h_), std::min(shortest(t), longest), longest);
  double t_next = stop;
  if (!stops.are_fixed() && h < std::abs(left))
    t_next = t + (h > std::abs(left) / 2 ? left / 2 : std::copysign(h, left));
  h_ = t_next - t;
  return t_next;
}

std::optional<double> StepLength::next() const {
  if (h_ == 0) return std::nullopt;
  constexpr double longest = std::numeric_limits<double>::max();
  return std::clamp(std::abs(h_), options_.smallest_step.value_or(0),
                    options_.largest_step.value_or(longest));
}

void StepLength::accept(double squared_error) {
  h_ *= factor(squared_error);
  second_last_accepted_ = last_accepted_;
  last_accepted_ = std::sqrt(squared_error);
  was_rejected_ = false;
}

void StepLength::reject(double squared_error) {
  const double length = std::abs(h_);
  const double smallest = options_.smallest_step.value_or(0);
  h_ *= std::min(factor(squared_error), 1.0);
  // Before the solve ends, the smallest step is tried; its length may be off by a rounding.
  if (length > smallest * 1.001 && std::abs(h_) < smallest) h_ = std::copysign(smallest, h_);
  was_rejected_ = true;
}

// Ten of the gaps between numbers at t: the stages of shorter steps would share their times.
double StepLength::shortest(double t) const {
  const double size = std::abs(t);
  const double gap = std::bit_cast<double>(std::bit_cast<std::uint64_t>(size) + 1) - size;
  return std::max(10 * gap, options_.smallest_step.value_or(0));
}

double StepLength::factor(double squared_error) const {
  return options_.controller->factor({std::sqrt(squared_error), last_accepted_,
                                      second_last_accepted_, error_order_, was_rejected_,
                                      squared_error});
}

}  // namespace fjord::ode
