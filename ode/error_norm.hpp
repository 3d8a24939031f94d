/// Norms of errors, in units of the tolerances, on plain memory.
#pragma once

#include <span>

#include "fjord/autodiff/shape.hpp"
#include "fjord/ode/options.hpp"

namespace fjord::ode {

/// The numbers of a state in column-major memory, [rows, ...].
template <class T>
struct Entries {
  const T* data;
  Index size;
  Index rows;
};

/// h times a sum of weighted vectors.
template <class T>
struct Combination {
  double h;
  std::span<const double> weights;
  std::span<const T* const> vectors;
};

/// The square of the norm of a combination / (atol + rtol max(|y|, |y_next|)), which is known
/// before its root; NaN or infinite only if a vector or a state is: else at most the largest
/// double.
template <class T>
double squared_error_norm(const SolveOptions& options, const Combination<T>& error,
                          const Entries<T>& y, const T* y_next);

/// The norm of x / (atol + rtol |y|).
template <class T>
double scaled_norm(const SolveOptions& options, const T* x, const Entries<T>& y);

/// Whether no entry is infinite or NaN.
template <class T>
bool is_finite(const Entries<T>& x);

}  // namespace fjord::ode
