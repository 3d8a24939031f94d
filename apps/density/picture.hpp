/// The picture of a model and of rows.
#pragma once

#include <filesystem>
#include <optional>

#include "fjord/apps/common/gnuplot.hpp"
#include "fjord/apps/density/look.hpp"
#include "fjord/apps/density/run_metrics.hpp"

namespace fjord::apps::density {

/// The most columns that a picture shows: the first ones.
constexpr Index most_columns_in_picture = 6;

/// Draws histograms of columns; below them, for each pair of columns, the rows over the density of
/// the samples; above them, as many samples; beside them the training, if there are metrics, and
/// the coverage, if there are rows.
///
/// Axes leave out the rows and samples beyond the outermost 0.2 % of each column.
/// Errors:  std::system_error "[write] path: reason" if files cannot be written beside `file`, the
///          one that the picture is for, as GnuplotPicture does.
Drawn draw_look(const std::filesystem::path& file, const Look& look,
                const std::optional<RunMetrics>& metrics);

}  // namespace fjord::apps::density
