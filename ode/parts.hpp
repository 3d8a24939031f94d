/// Outputs of gradient modes that give the state at the end only.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// Solves a problem with outputs in parts, each of which ends where an output is: at a time to
/// save, at the beginning of the step that an event is in, or, where derivatives are taken in the
/// times, at a jump. Where events are looked for, or a function is to be called after each step, a
/// solve of values comes first, which finds where.
///
/// Errors:  as `solve`; std::invalid_argument if all steps are to be saved.
template <class T>
Solution<T> solve_in_parts(const GradientMode& mode, const Problem<T>& problem,
                           const SolveOptions& options);

}  // namespace fjord::ode
