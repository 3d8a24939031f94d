/// Checks of derivatives against differences, for user-defined functions and operations.
#pragma once

#include <functional>
#include <vector>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// A function of several tensors, recorded on the tape of its arguments, with one or more results.
using CheckedFunction = std::function<Var<double>(const Vars<double>& inputs)>;
using CheckedFunctions = std::function<Vars<double>(const Vars<double>& inputs)>;

/// Largest disagreements found by `check_gradient`. Sweeps against each other are compared relative
/// to the largest entry of the tensor, and sums of products to the sum of their sizes, at least
/// `least`; differences relative to the entry, at least 1, because they have an absolute error:
/// that of the values that are subtracted, divided by h.
struct GradientCheck {
  double reverse = 0;    ///< reverse sweep of values against six-point differences
  double recorded = 0;   ///< recorded reverse sweep against that of values
  double forward = 0;    ///< dot test: <u, J v> against <J^T u, v>
  double stacked = 0;    ///< a forward sweep of two tangents at once against two of one
  double second = 0;     ///< the four nestings of the two sweeps against each other
  double symmetry = 0;   ///< <w, H v> against <v, H w>
  double curvature = 0;  ///< H v against six-point differences of the gradient

  double worst() const {
    return std::max({reverse, recorded, forward, stacked, second, symmetry, curvature});
  }
};

/// Holds the derivatives of a function in all its inputs against central differences and against
/// each other.
///
/// Units:   a smooth function of entries of size about 1 gives some 1e-10 for `reverse` and
///          `curvature`, and 1e-14 for the others. NaN counts as an infinite disagreement.
///          `least` = 0 shows wrong derivatives that are tiny, also where they are 0 but for
///          rounding.
/// Errors:  std::invalid_argument if there is no input.
/// Source:  six-point stencil (-1, 9, -45, 45, -9, 1) / (60 h).
GradientCheck check_gradient(const CheckedFunctions& f, const std::vector<Tensor<double>>& at,
                             double h = 1e-2, double least = 1);
GradientCheck check_gradient(const CheckedFunction& f, const std::vector<Tensor<double>>& at,
                             double h = 1e-2, double least = 1);

}  // namespace fjord
