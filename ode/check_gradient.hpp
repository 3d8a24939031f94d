/// Whether the gradients of a solve can be trusted.
#pragma once

#include <vector>

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// The gradients of two modes side by side: for each input the Euclidean norm of their difference
/// over that of the second mode's gradient, 0 where both are zero.
struct GradientComparison {
  double y0 = 0;
  double t0 = 0;
  double t1 = 0;
  /// For each node that the field uses at t0, in the order of first use.
  std::vector<double> captured = {};
  Report report = {};        ///< of the solve in the mode of the options
  Report other_report = {};  ///< and in the other one

  /// NaN if one is.
  double largest() const;
};

/// Solves a problem by options.gradient and by another mode, and compares the gradients of a sum of
/// the end's entries, weighted with standard normal numbers that are the same in every call.
///
/// Errors:  as `solve` and the modes' sweeps; SolveFailure if a solve does not succeed.
/// Note:    The tape is as before the call, but that parameters that the field binds are bound. A
///          difference of the order of the tolerances is to be expected of modes that solve the
///          adjoint equation.
template <class T>
GradientComparison check_gradient(const Problem<T>& problem, const SolveOptions& options,
                                  const GradientMode& other);

}  // namespace fjord::ode
