/// What is solved, and what comes back.
#pragma once

#include <functional>
#include <vector>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/ode/field.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::ode {

/// Which passages of an event's function through zero count, in the order of the solve.
enum class Crossing { any, rising, falling };

/// A function g(t, y) whose zeros are looked for in a solve.
template <class T>
struct Event {
  /// Shapes:  t a scalar, the result of size 1; y as the state.
  /// Errors:  where it is NaN, the solve ends with Status::event_undefined.
  /// Note:    Where the solve is recorded, it must pass zero with a slope in t, which derivatives
  ///          of the time are divided by.
  Field<T> function;
  Crossing crossing = Crossing::any;
  bool is_terminal = false;  ///< whether the solve ends there, with Status::event
};

/// An event that was found. Derivatives flow to its time and state where the solve is recorded.
template <class T>
struct Occurrence {
  std::size_t event;  ///< its place in the list of events
  Var<T> t;
  Var<T> y;
};

/// The times of a solve as nodes that derivatives are taken in; empty: they are constants.
template <class T>
struct TimeVars {
  Var<T> t0;
  Var<T> t1;
};

/// An initial value problem on a tape; refers to its field.
template <class T>
struct Problem {
  const Field<T>& f;
  Var<T> y0;
  TimeSpan span;
  TimeVars<T> times = {};  ///< of the span's numbers, scalars on the tape of y0
  std::vector<Event<T>> events = {};
  /// Called with the end of every step, a handle that is valid for the call only but in the mode
  /// direct; returning false ends the solve, with Status::stopped where no event does.
  std::function<bool(double t, const Var<T>& y)> on_step = {};
  /// What is saved of a state, a function of t and y with a result of any shape; empty: the state.
  Field<T> output = {};
};

template <class T>
struct Solution {
  /// The state at report.t; of a terminal event, with derivatives as there. With separate_rows that
  /// at t1, in which rows that failed are NaN.
  Var<T> y;
  Report report;
  std::vector<double> times = {};  ///< as SolveOptions::save_at or save_steps ask
  Vars<T> states = {};             ///< at these times, or Problem::output of them
  std::vector<Occurrence<T>> occurrences = {};
  /// Of each row, with SolveOptions::separate_rows: how and where it ended, with evaluations and
  /// steps as of a solve of its own.
  std::vector<Report> rows = {};
};

}  // namespace fjord::ode
