/// Simulation: solves on plain memory, without a tape and without derivatives.
#pragma once

#include <vector>

#include "fjord/ode/field.hpp"
#include "fjord/ode/options.hpp"
#include "fjord/ode/plain_field.hpp"
#include "fjord/ode/problem.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::ode {

/// An event that was found in a simulation.
struct PlainOccurrence {
  std::size_t event;  ///< its place in the list of events
  double t;
  std::vector<double> y;
};

struct Simulation {
  std::vector<double> y;  ///< the state at report.t
  Report report;
  std::vector<double> times = {};   ///< as SolveOptions::save_at or save_steps ask
  std::vector<double> states = {};  ///< at these times, or Watch::output of them, one after another
  std::vector<PlainOccurrence> occurrences = {};
};

/// A function g(t, y) whose zeros are looked for in a simulation; see Event.
struct PlainEvent {
  std::function<double(double t, std::span<const double> y)> function;
  Crossing crossing = Crossing::any;
  bool is_terminal = false;
};

/// What to watch in a simulation.
struct Watch {
  std::vector<PlainEvent> events = {};
  /// Called with the end of every step; returning false ends it, with Status::stopped.
  std::function<bool(double t, std::span<const double> y)> on_step = {};
  /// Appends what is saved of a state to `states`; empty: all its numbers.
  std::function<void(double t, std::span<const double> y, std::vector<double>& states)> output = {};
};

/// Solves dy/dt = f(t, y) with the methods, controllers and outputs of `solve`; allocates nothing
/// per step, but for the ratios that a custom norm takes.
///
/// Units:   as `solve`.
/// Errors:  as `solve`; what f throws.
Simulation simulate(const PlainField& f, std::span<const double> y0, TimeSpan span,
                    const SolveOptions& options = {}, const Watch& watch = {});

}  // namespace fjord::ode
