/// A test of two samples by the distances between their rows.
#pragma once

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/workers.hpp"

namespace fjord::apps::density {

struct EnergyOptions {
  Index permutations = 999;
  /// Whether row i of both belongs together, as samples given the same numbers do: permutations
  /// then exchange rows only within such pairs.
  bool is_paired = false;
};

/// How far apart two samples are.
struct TwoSample {
  double energy = 0;   ///< 2 E|X - Y| - E|X - X'| - E|Y - Y'| >= 0; 0 for equal distributions
  double p_value = 1;  ///< the share of permutations with at least this distance, itself among them
};

/// The energy distance between the rows of x and of y, each column divided by its standard
/// deviation in both together, and the permutation test that their distributions are equal. Columns
/// that are constant in both do not count.
///
/// Shapes:  x [N, D], y [M, D]; M = N for pairs.
/// Units:   p_value in multiples of 1 / (permutations + 1), at least one of them.
/// Errors:  std::range_error if a column has no finite variance.
/// Source:  Szekely & Rizzo, Energy statistics: a class of statistics based on distances, J. Stat.
///          Planning and Inference 143, 2013, eq. 6.1; Phipson & Smyth, Permutation p-values should
///          never be zero, Stat. Appl. Genet. Mol. Biol. 9, 2010.
/// Note:    Takes (N + M)^2 numbers of memory; the bits do not depend on the threads.
TwoSample energy_test(const Tensor<double>& x, const Tensor<double>& y,
                      const EnergyOptions& options, const RandomKey& random, Workers& workers);

}  // namespace fjord::apps::density
