/// Gradients of a solve by undoing its steps.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// Solves the problem as one operation, whose reverse sweep goes back step by step: it undoes a
/// step, makes it again, recorded, and sweeps over that. The derivatives are those of Direct, but
/// for rounding; they flow to y0, to the times, and to every node that the field uses. In reverse
/// sweeps of values only.
///
/// Needs a method whose steps can be undone: see Method::is_reversible.
///
/// Errors:  as `solve`; std::invalid_argument if the method is not reversible; a sweep throws
///          SolveFailure with Status::irreversible if the state that came back is not the one
///          that the solve began with, to its tolerances, and std::invalid_argument if it is
///          recorded or a forward sweep.
/// Note:    Memory: one state, one time a step, and one state for each of SolveOptions::jumps. If
///          the report is not a success, y is not a solution and has no derivative.
/// Source:  Kidger, Foster, Li & Lyons, Efficient and accurate gradients for neural SDEs, NeurIPS
///          2021; McCallum & Foster, Efficient, accurate and stable gradients for neural ODEs
///          (2024).
class ReversibleAdjoint final : public GradientModeOf<ReversibleAdjoint> {
 public:
  std::string_view name() const override { return "reversible"; }

  std::string_view summary() const override { return "steps that are undone, and made again"; }

  std::string_view memory() const override { return "one state and one step"; }

  bool suits(const Method& method) const override { return method.is_reversible(); }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;
};

}  // namespace fjord::ode
