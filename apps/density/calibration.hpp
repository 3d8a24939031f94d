/// Whether rows are distributed as a model says, told by log-densities alone.
#pragma once

#include <span>
#include <vector>

#include "fjord/apps/common/levels.hpp"
#include "fjord/autodiff/shape.hpp"

namespace fjord::apps::density {

/// How well estimated levels can be told from uniform ones.
struct LevelCounts {
  Index rows = 0;
  Index shared_samples = 0;  ///< 0 if every row has samples of its own
};

/// How many rows lie in the smallest region that has a share of the model's mass.
struct Coverage {
  double nominal = 0;         ///< the share that a right model has there
  double share = 0;           ///< of the rows
  double standard_error = 0;  ///< of that, if the model is right: for rows and samples together
};

/// Coverage at 50, 80, 95 and 99 %.
///
/// The standard error is sqrt(p (1 - p) (1 / n + 1 / S)): of a share of n rows, and of a quantile
/// of S samples that all rows share.
std::vector<Coverage> coverages(std::span<const double> levels, const LevelCounts& counts);

/// The test of Kolmogorov and Smirnov that levels are uniform.
struct Uniformity {
  double distance =
      0;  ///< the largest between their distribution function and that of uniform ones
  double p_value = 1;
};

/// The p-value is that of the limit for many rows, with the correction of Stephens for few; shared
/// samples count as the other sample of a test of two.
///
/// Shapes:  levels in the grid of 1 / (samples + 1), of which they are taken to be the middle.
/// Source:  Stephens, Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics
///          without extensive tables, JRSS B 32, 1970; Press et al., Numerical Recipes, 3rd ed.,
///          section 14.3.3.
Uniformity uniformity(std::span<const double> levels, Index samples, const LevelCounts& counts);

/// The probability that the limit of sqrt(n) times the distance above exceeds x.
///
/// Source:  Kolmogorov's series for large x, and the one of theta functions for small x.
double kolmogorov_tail(double x);

}  // namespace fjord::apps::density
