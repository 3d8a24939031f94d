/// Optimal assignments.
#pragma once

#include <span>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord::flows {

/// The permutation p of 0 ... n - 1 that makes the sum of the cost[i, p[i]] smallest.
///
/// Shapes:  cost [n, n], row-major, finite.
/// Source:  Jonker & Volgenant, A shortest augmenting path algorithm for dense and sparse linear
///          assignment problems, Computing 38 (1987); the work grows with n^3.
std::vector<Index> optimal_assignment(std::span<const double> cost, Index n);

}  // namespace fjord::flows
