/// Gradients of a solve by the adjoint equation over its dense output.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// Solves the problem as one operation, whose reverse sweep solves the adjoint equation backwards
/// and takes the states from the first solve's dense output: unlike Backsolve it never solves the
/// state backwards, so fields that contract are no trouble.
///
/// Derivatives are those of the exact solution, met to the tolerances and to the accuracy of the
/// dense output; they flow to y0, to the times, and to every node that the field uses. In reverse
/// sweeps of values only.
///
/// Errors:  as `solve`; std::invalid_argument if the method moves the halves of a state; a sweep
///          throws SolveFailure if the second solve fails, and std::invalid_argument if it is
///          recorded or a forward sweep.
/// Note:    Memory: eight states a step. If the report is not a success, y is not a solution and
///          has no derivative.
class InterpolatingAdjoint final : public GradientModeOf<InterpolatingAdjoint> {
 public:
  std::string_view name() const override { return "interpolating"; }

  std::string_view summary() const override { return "the adjoint equation over the dense output"; }

  std::string_view memory() const override { return "8 n states"; }

  bool suits(const Method& method) const override { return !method.moves_halves(); }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;
};

/// As InterpolatingAdjoint, but the second solve carries the adjoint only; the parameters' gradient
/// is then a Gauss-Legendre quadrature of five points a step over both dense outputs. For fields
/// with more parameters than states.
///
/// Errors:  as InterpolatingAdjoint, but with every method.
/// Note:    Memory: eight states a step, and in a sweep eight adjoints a step.
/// Source:  Kim, Ji, Deng & Rackauckas, Stiff neural ordinary differential equations, Chaos 31
///          (2021), sec. III.
class QuadratureAdjoint final : public GradientModeOf<QuadratureAdjoint> {
 public:
  std::string_view name() const override { return "quadrature"; }

  std::string_view summary() const override {
    return "the same for the adjoint only, and quadrature for parameters";
  }

  std::string_view memory() const override { return "8 n states and 8 n adjoints"; }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;
};

}  // namespace fjord::ode
