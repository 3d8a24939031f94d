/// The loop of every solve on nodes, with what it gives besides its end.
#pragma once

#include "fjord/ode/integration.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

template <class T>
using NodeObserver = StepObserver<NodeSpace<T>>;

/// Solves a problem on the tape. With Recording::none results are leaves of which no sweep knows
/// where they came from.
///
/// Errors:  as `solve`.
template <class T>
Solution<T> run(const Problem<T>& problem, const SolveOptions& options, Recording recording,
                std::span<NodeObserver<T>* const> observers = {});

}  // namespace fjord::ode
