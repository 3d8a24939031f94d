/// The density of points in the plane, on the cells of a picture.
#pragma once

#include <vector>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// A rectangle of square cells, which pictures show as one pixel each.
struct PlaneCells {
  double left = 0;
  double bottom = 0;
  double size = 1;    ///< of a cell, > 0
  Index columns = 0;  ///< > 0
  Index rows = 0;     ///< > 0
};

/// The kernel density estimate with a Gaussian of this standard deviation, by its average over
/// counts in the cells: points outside of them do not count.
///
/// Shapes:  points [rows, 2]; the result has cells.rows times cells.columns entries, row by row
///          from the bottom.
/// Units:   `bandwidth` is a length, > 0; densities are per unit of area.
std::vector<double> density_on_cells(const Tensor<double>& points, const PlaneCells& cells,
                                     double bandwidth);

}  // namespace fjord::apps
