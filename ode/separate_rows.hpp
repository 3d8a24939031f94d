/// Solves in which each row of the state has its own steps.
#pragma once

#include "fjord/ode/options.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

/// Solves as SolveOptions::separate_rows says; recorded, or with a result that is a leaf.
///
/// Errors:  as `solve`; std::invalid_argument if options or outputs are given that are about all
///          rows at once.
template <class T>
Solution<T> run_separate_rows(const Problem<T>& problem, const SolveOptions& options, bool records);

}  // namespace fjord::ode
