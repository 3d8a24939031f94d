/// Solves in other gradient modes than the default, in one line.
#pragma once

#include "fjord/ode/solve.hpp"

namespace fjord::test {

template <class T>
ode::Solution<T> solve_values(const std::type_identity_t<ode::Field<T>>& f, const Var<T>& y0,
                              ode::TimeSpan span, ode::SolveOptions options = {},
                              const ode::GradientMode& mode = ode::values_only) {
  options.gradient = &mode;
  return ode::solve(f, y0, span, options);
}

struct AdjointOptions {
  ode::SolveOptions forward = {};
  ode::SolveOptions backward = {};
};

template <class T>
ode::Solution<T> solve_adjoint(const std::type_identity_t<ode::Field<T>>& f, const Var<T>& y0,
                               const Var<T>& t0, const Var<T>& t1,
                               const AdjointOptions& options = {}) {
  const ode::Backsolve mode({.backward = options.backward});
  ode::SolveOptions forward = options.forward;
  forward.gradient = &mode;
  return ode::solve(f, y0, t0, t1, forward);
}

}  // namespace fjord::test
