/// The grid that shows what a flow does to the plane.
#pragma once

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// The points of a square grid of lines from -extent to extent in both coordinates, line by line.
///
/// Shapes:  [2 lines points_a_line, 2]; first the lines of constant first coordinate.
Tensor<double> grid_of_lines(Index lines, Index points_a_line, double extent);

}  // namespace fjord::apps
