#include "fjord/ode/occurrence.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/run.hpp"

namespace fjord::ode {

template <class T>
Occurrence<T> with_derivatives(const Problem<T>& problem, const SolveOptions& options,
                               std::size_t event, double t, const StateBefore<T>& before) {
  Tape<T>& tape = before.y.tape();
  const Var<T> t0 = tape.scalar(static_cast<T>(before.t));
  SolveOptions one_step = options;
  one_step.fixed_step = std::abs(t - before.t);
  one_step.grid = one_step.step_on = one_step.save_at = {};
  // The field is asked on the step's side of a jump at its beginning.
  std::erase_if(one_step.jumps, [&](double jump) { return jump != before.t; });
  one_step.save_steps = false;
  const auto state_at = [&](const Var<T>& time) {
    const TimeSpan span{before.t, static_cast<double>(time.item())};
    return run<T>({problem.f, before.y, span, {t0, time}}, one_step, Recording::steps).y;
  };
  const auto value_at = [&](const Var<T>& time, const Var<T>& y) {
    return reshape(problem.events[event].function(time, y), {});
  };
  const double mean_slope =
      std::abs(static_cast<double>(value_at(t0, before.y).item())) / std::abs(t - before.t);
  // Where values are known but for rounding, a slope so much less than the mean one may be 0.
  const double least_slope = std::sqrt(std::numeric_limits<T>::epsilon()) * mean_slope;
  Var<T> found = tape.scalar(static_cast<T>(t));
  for (int step = 0; step < 2; ++step) {
    const Var<T> time = identity(found);
    const Var<T> y = identity(state_at(found));
    const Var<T> value = value_at(time, y);
    const Var<T> slope =
        pushforward<T>({time, y}, {tape.scalar(1), problem.f(time, y)}, {value})[0];
    found = found - value / slope;
    const bool has_slope = std::abs(static_cast<double>(slope.item())) > least_slope;
    require(has_slope && std::isfinite(found.item()), "solve", [&] {
      return "the function of event " + std::to_string(event) + " has the slope " +
             short_number(slope.item()) + " where it passes zero, at t = " + short_number(t) +
             ", so that this time has no derivative; give it a slope there, in operations, or "
             "solve with the gradient mode values_only";
    });
  }
  return {event, found, state_at(found)};
}

#define FJORD_INSTANTIATE(T)                                                                   \
  template Occurrence<T> with_derivatives(const Problem<T>&, const SolveOptions&, std::size_t, \
                                          double, const StateBefore<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
