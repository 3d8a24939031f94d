/// Checks of derivatives against differences, for one's own functions and operations.
#pragma once

#include <functional>
#include <vector>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// A function of several tensors, recorded on the tape of its arguments.
using CheckedFunction = std::function<Var<double>(const Vars<double>& inputs)>;

/// Largest disagreements found by `check_gradient`, each relative to the size of what is compared,
/// at least 1.
struct GradientCheck {
  double reverse = 0;  ///< reverse sweep of values against six-point differences
  double forward = 0;  ///< dot test: <u, J v> against <J^T u, v>
  double second = 0;   ///< the four nestings of the two sweeps against each other

  double worst() const { return std::max({reverse, forward, second}); }
};

/// Holds the derivatives of a function in all its inputs against central differences and against
/// each other.
///
/// Units:   a smooth function of entries of size about 1 gives some 1e-10 for `reverse` and 1e-14
///          for the others.
/// Errors:  std::invalid_argument if there is no input.
/// Source:  six-point stencil (-1, 9, -45, 45, -9, 1) / (60 h).
GradientCheck check_gradient(const CheckedFunction& f, const std::vector<Tensor<double>>& at,
                             double h = 1e-2);

}  // namespace fjord
