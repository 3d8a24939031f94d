/// The options of a solve before it begins.
#pragma once

#include "fjord/autodiff/shape.hpp"
#include "fjord/ode/field.hpp"
#include "fjord/ode/options.hpp"

namespace fjord::ode {

/// Checks the options of a solve of a state of `size` numbers, the smallest positive one of which
/// is `smallest`.
///
/// Errors:  std::invalid_argument if an option is out of its range, or the span is not finite.
void check_options(const SolveOptions& options, TimeSpan span, Index size, double smallest);

}  // namespace fjord::ode
