/// Whether a field's stiffness keeps the steps short.
#pragma once

#include "fjord/ode/error_norm.hpp"

namespace fjord::ode {

/// A state and the slope there.
template <class T>
struct StateAndSlope {
  Entries<T> y;
  const T* slope;
};

/// Whether a step of length h is about as long as is stable, though the solution changes little in
/// it: by the eigenvalue of df/dy that two stages at one time show.
///
/// Source:  Hairer & Wanner, Solving ODEs II, 2nd ed., sec. IV.2, "Stiffness Detection".
template <class T>
bool is_stiff(const SolveOptions& options, double h, const StateAndSlope<T>& a,
              const StateAndSlope<T>& b);

}  // namespace fjord::ode
