/// Initial value problems.
#pragma once

#include "fjord/ode/gradient_modes.hpp"

namespace fjord::ode {

/// Solves dy/dt = f(t, y) with options.method; derivatives flow as options.gradient says.
///
/// Units:   the error of a step is options.norm of the estimate divided by
///          atol + rtol max(|y before|, |y after|), and must be <= 1.
/// Errors:  std::invalid_argument if an option is out of its range, f is empty, a time is not
///          finite, or f changes the shape. Numerical trouble is not an error: see Report::status.
/// Note:    f is never asked for a time outside of the span, but see SplitMethod; the last stage is
///          at t1 itself.
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.4.
template <class T>
Solution<T> solve(const Problem<T>& problem, const SolveOptions& options = {});

template <class T>
Solution<T> solve(const Field<T>& f, const Var<T>& y0, TimeSpan span,
                  const SolveOptions& options = {}) {
  return solve(Problem<T>{f, y0, span}, options);
}

/// As above with times that derivatives are taken in: the last step is t1 minus all others.
///
/// Shapes:  t0 and t1 scalars on the tape of y0.
template <class T>
Solution<T> solve(const Field<T>& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                  const SolveOptions& options = {}) {
  const TimeSpan span{static_cast<double>(t0.item()), static_cast<double>(t1.item())};
  return solve(Problem<T>{f, y0, span, {t0, t1}}, options);
}

/// The same with any function as the field.
template <class T, FieldFunction<T> F>
Solution<T> solve(const F& f, const Var<T>& y0, TimeSpan span, const SolveOptions& options = {}) {
  return solve(Field<T>(f), y0, span, options);
}

template <class T, FieldFunction<T> F>
Solution<T> solve(const F& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                  const SolveOptions& options = {}) {
  return solve(Field<T>(f), y0, t0, t1, options);
}

}  // namespace fjord::ode
