/// One step of a Runge-Kutta method, and the size of its error.
#pragma once

#include "fjord/ode/solve.hpp"

namespace fjord::ode {

/// The slopes of a step's stages: one more than any method here has.
inline constexpr std::size_t max_stages = 16;

template <class T>
using Stages = std::array<Var<T>, max_stages>;

/// Evaluates f.
///
/// Errors:  std::invalid_argument if the result does not have the shape of y, or is not on its
///          tape.
template <class T>
Var<T> evaluate(const Field<T>& f, const Var<T>& t, const Var<T>& y);

/// The norm of h (error weights . stages) / (atol + rtol max(|y|, |y_next|)), with the weights of
/// the method; NaN or infinite only if a slope or a state is.
template <class T>
double error_norm(const SolveOptions& options, double h, const Stages<T>& stages, const Var<T>& y,
                  const Var<T>& y_next);

/// The norm of x / (atol + rtol |y|).
template <class T>
double scaled_norm(const SolveOptions& options, const Var<T>& x, const Var<T>& y);

/// A state and the slope there.
template <class T>
struct Stage {
  Var<T> y;
  Var<T> slope;
};

/// Whether a step of length h is about as long as is stable, though the solution changes little in
/// it: by the eigenvalue of df/dy that two stages at one time show.
///
/// Source:  Hairer & Wanner, Solving ODEs II, 2nd ed., sec. IV.2, "Stiffness Detection".
template <class T>
bool is_stiff(const SolveOptions& options, double h, const Stage<T>& a, const Stage<T>& b);

/// Whether no entry is infinite or NaN.
template <class T>
bool is_finite(const Var<T>& x);

/// The length of a first step for a method of the given order, from the slope and its change:
/// Hairer's rule.
///
/// Units:   norms as of scaled_norm; `slope_change` maps a trial step, at most `longest`, to the
///          norm of f(t0 + h, y0 + h f0) - f0.
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.4, "Starting Step Size".
double starting_step(double state_norm, double slope_norm, int order, double longest,
                     const std::function<double(double)>& slope_change);

/// The factor by which the step changes after an error norm (NaN: shrinks most), at most
/// `max_growth`.
double step_factor(double error, int order, double max_growth);

}  // namespace fjord::ode
