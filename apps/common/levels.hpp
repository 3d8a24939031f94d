/// How unusual rows are for a model.
#pragma once

#include <span>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps {

/// The level of each row: the share of the model's mass that is denser than the row, estimated from
/// samples. A level near 1 is that of an outlier; if the rows are from the model, levels are
/// uniform.
///
/// With S samples it is the number of those with a larger log-density, over S + 1. A log-density of
/// minus infinity is that of a row outside of the support, with the level 1.
/// Shapes:  samples of the model, at least one, the same for all rows.
/// Source:  Hyndman, Computing and graphing highest density regions, The American Statistician 50,
///          1996.
std::vector<double> levels_among(std::span<const double> rows, std::span<const double> samples);

/// As levels_among(), for a conditional model: each row among samples of its own, which follow one
/// another.
///
/// Shapes:  samples [rows * samples_a_row].
std::vector<double> levels_among_own(std::span<const double> rows, std::span<const double> samples,
                                     Index samples_a_row);

}  // namespace fjord::apps
