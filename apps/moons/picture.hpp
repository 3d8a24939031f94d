/// The four panels that show what a flow has learnt.
#pragma once

#include <filesystem>
#include <string>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// The contents of the panels; all [rows, 2], grids line by line as grid_of_lines() makes them.
struct Panels {
  Tensor<double> base;
  Tensor<double> base_grid;
  Tensor<double> transformed;       ///< the base samples, pushed forward
  Tensor<double> transformed_grid;  ///< the base grid, pushed forward
  Tensor<double> data;
  Index points_a_line = 0;
};

/// Draws base samples, transformed samples, and the densities of transformed samples and of the
/// data, with gnuplot.
///
/// Returns what went wrong, in one line, or nothing: a missing picture must not cost a run.
/// Errors:  std::system_error if a file cannot be written.
std::string draw_panels(const std::filesystem::path& file, const Panels& panels);

}  // namespace fjord::apps
