/// What the panels of a picture of a model show.
#pragma once

#include <string>
#include <vector>

#include "fjord/apps/density/look.hpp"

namespace fjord::apps::density {

struct Range {
  double low = 0;
  double high = 0;
};

/// The part of an axis with a column's rows and samples, but for the outermost 0.2 % of either.
Range shown_range(const Look& look, Index column);

/// The same with columns far from 0, next to what they span, less a round number near them, which
/// their names say: ticks of four digits tell those apart.
Look near_zero(Look look);

/// The densities of a column's rows and samples in bins, in units of 1 / range.
struct Histogram {
  std::string text;  ///< lines with the middle of each bin and both densities
  double peak = 0;
};

/// Bins a column: some 2 n^(1/3) bins for n rows, from 10 to 50.
Histogram histogram_in(const Look& look, Index column, const Range& range);

/// The cells of density_of_pair() along each axis.
constexpr Index density_cells = 240;

/// The density of the samples in two columns over the ranges, to the power of 0.6 and in steps from
/// 0 to 1 at its largest, as density_on_cells() gives it.
std::vector<double> density_of_pair(const Look& look, Index x, Index y, const Range& x_range,
                                    const Range& y_range);

}  // namespace fjord::apps::density
