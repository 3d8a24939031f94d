/// Gradients of a solve by a second solve, backwards in time, in memory that does not grow with the
/// steps.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

struct BacksolveOptions {
  /// Of the second solve; those of the first, with ErrorNorm::rms, if absent. The norm of an error
  /// is the largest of the norms of three parts: state, adjoint, and integrals over parameters.
  std::optional<SolveOptions> backward = std::nullopt;
  /// Whether the integrals over parameters do not count in the norm of an error. Nothing is
  /// computed from them on the way, so that fewer steps are needed for the same gradient.
  ///
  /// Source:  Kidger, Chen & Lyons, "Hey, that's not an ODE": faster ODE adjoints via seminorms,
  ///          ICML 2021.
  bool seminorm = false;
};

/// Solves the problem as one operation on its tape, whose reverse sweep integrates the adjoint
/// system.
///
/// Derivatives are those of the exact solution, met to the tolerances of the two solves; they flow
/// to y0, to the times, and to every node that the field uses. Recorded sweeps append such an
/// operation in turn, so higher orders work, in memory that does not grow either.
///
/// The second solve carries the state back along with its adjoint. It is held to a few states that
/// the first solve keeps: where it comes back far from them, as in fields that contract, that part
/// of the span is solved again from a state that is right, in as many parts as are needed.
///
/// Errors:  as `solve`; std::invalid_argument if the second solve's method moves the halves of a
///          state; a sweep throws SolveFailure if the second solve fails: with Status::irreversible
///          if not even short parts come back.
/// Note:    If the report is not a success, y is not a solution and has no derivative.
/// Source:  Chen et al., Neural ordinary differential equations, NeurIPS 2018, appendix B.
class Backsolve final : public GradientModeOf<Backsolve> {
 public:
  Backsolve() = default;

  explicit Backsolve(BacksolveOptions options) : options_(std::move(options)) {}

  std::string_view name() const override { return "adjoint"; }

  std::string_view summary() const override {
    return "the adjoint equation, with the state solved backwards";
  }

  std::string_view memory() const override { return "17 states"; }

  bool suits(const Method& method) const override { return !back_by(&method)->moves_halves(); }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;

 private:
  // The method of the second solve, where the first one has the given one.
  const Method* back_by(const Method* method) const {
    return options_.backward ? options_.backward->method : method;
  }

  BacksolveOptions options_;
};

}  // namespace fjord::ode
