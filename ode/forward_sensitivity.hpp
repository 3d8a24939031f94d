/// Derivatives of a solve by sensitivities that are solved for beside the state.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// Solves for the state and its derivatives in y0 and in every node that the field uses at once, to
/// the same tolerances; sweeps of every order then multiply with them. For fields of few states and
/// parameters.
///
/// Derivatives are those of the exact solution, met to the tolerances; they flow to y0, to the
/// times, and to every node that the field uses. A recorded sweep solves once more, for the
/// sensitivities of the sensitivities.
///
/// Errors:  as `solve`; std::invalid_argument if the field uses other nodes at later times than at
///          the first, or the method moves the halves of a state.
/// Note:    Memory: one state for each entry of y0 and of the nodes that the field uses, however
///          many steps there are; as many tangents in each evaluation. If the report is not a
///          success, y is not a solution and has no derivative.
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. I.14.
class ForwardSensitivity final : public GradientModeOf<ForwardSensitivity> {
 public:
  std::string_view name() const override { return "forward"; }

  std::string_view summary() const override {
    return "sensitivities that are solved for beside the state";
  }

  std::string_view memory() const override {
    return "a state for each entry of the state and of parameters";
  }

  bool suits(const Method& method) const override { return !method.moves_halves(); }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;
};

}  // namespace fjord::ode
