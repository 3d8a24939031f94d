/// Gradients of a solve by a second solve, backwards in time, in memory that does not grow with the
/// steps.
#pragma once

#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::ode {

struct AdjointOptions {
  SolveOptions forward = {};
  /// Tolerances of the second solve, over state, adjoint and parameters together.
  SolveOptions backward = {};
  /// If not null, is added the field evaluations of every later reverse sweep of values; it must
  /// outlive the node.
  std::size_t* backward_evaluations = nullptr;
};

/// Solves dy/dt = f(t, y) as one operation on the tape of y0, whose reverse sweep integrates the
/// adjoint system.
///
/// Derivatives are those of the exact solution, met to the tolerances of the two solves; they flow
/// to y0, to t0 and t1, and to the parameters. Recorded sweeps append such an operation in turn, so
/// higher orders work, in memory that does not grow either.
///
/// The second solve carries the state back along with its adjoint. It is held to a few states that
/// the first solve keeps: where it comes back far from them, as in fields that contract, that part
/// of the span is solved again from a state that is right, in as many parts as are needed.
///
/// Shapes:  y0 any; t0 and t1 scalars; parameters any. All on one tape.
/// Errors:  as `solve`; a sweep throws std::invalid_argument if the field uses a node that the
///          derivative depends on and that is neither its y nor a parameter, and SolveFailure if
///          the second solve fails: with Status::irreversible if not even short parts come back.
/// Note:    If the report is not a success, y is not a solution and has no derivative.
/// Source:  Chen et al., Neural ordinary differential equations, NeurIPS 2018, appendix B.
template <class T>
Solution<T> solve_adjoint(const Field<T>& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                          const Vars<T>& parameters, const AdjointOptions& options = {});

/// The same with any function as the field.
template <class T, FieldFunction<T> F>
Solution<T> solve_adjoint(const F& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                          const Vars<T>& parameters, const AdjointOptions& options = {}) {
  return solve_adjoint(Field<T>(f), y0, t0, t1, parameters, options);
}

}  // namespace fjord::ode
