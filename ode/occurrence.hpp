/// Derivatives of events.
#pragma once

#include "fjord/ode/options.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

/// A state of the solve before an event, from which one step leads past it.
template <class T>
struct StateBefore {
  double t;
  Var<T> y;
};

/// Whether the last of the events that were found ended the solve: its state is that at the end.
template <class T>
bool ends_at_event(const Problem<T>& problem, const std::vector<Occurrence<T>>& found) {
  return !found.empty() && problem.events[found.back().event].is_terminal;
}

/// An event's time and state with their derivatives in the state before: the time by steps of
/// Newton's method on g(t, y(t)) = 0, where y(t) is a recorded step of the solve that ends at t.
/// Two of them carry derivatives of up to third order.
///
/// `t` is the time that was found.
///
/// Errors:  std::invalid_argument if g has no finite slope in t there, or one that is 0 but for
///          rounding: less than the mean slope since the state before by a factor of the root of
///          T's epsilon.
template <class T>
Occurrence<T> with_derivatives(const Problem<T>& problem, const SolveOptions& options,
                               std::size_t event, double t, const StateBefore<T>& before);

}  // namespace fjord::ode
