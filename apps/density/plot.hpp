/// The command plot: a picture of a model.
#pragma once

#include "fjord/apps/density/options.hpp"

namespace fjord::apps::density {

/// Draws a model, and rows if a table is given; see draw_look().
///
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure,
///          std::runtime_error, also where gnuplot is missing, and std::system_error otherwise.
void plot(const PlotOptions& options);

}  // namespace fjord::apps::density
