/// The rows that a fit is about.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fjord/apps/density/baseline.hpp"
#include "fjord/apps/density/column_map.hpp"
#include "fjord/apps/density/large_table.hpp"
#include "fjord/apps/density/options.hpp"
#include "fjord/autodiff/communicator.hpp"
#include "fjord/flows/split.hpp"

namespace fjord::apps::density {

/// Rows of a table, split, and the units that standardise them: first the columns that are given,
/// rows.given of them, then those that are modelled. Of a large table they are some rows, on which
/// the units are found and the simple models fitted; flows are trained on all.
struct Data {
  std::vector<std::string> names;  ///< of the columns, or none
  WeightedRows rows;               ///< those that are kept, in the table's units
  std::vector<Index> numbers;      ///< of these rows in their table, from 1
  Index dropped = 0;               ///< rows with missing values
  flows::Split split;
  std::vector<double> means;       ///< of the columns of the training rows
  std::vector<double> deviations;  ///< and their standard deviations, over n
  std::vector<ColumnMap> maps;    ///< of the columns onto the line, for the flow; straight if given
  std::vector<double> roundings;  ///< of the columns, the step that is smoothed out; 0 for none
  std::shared_ptr<const LargeTable> large;  ///< the table, if it is large
};

/// Reads and splits the table of the options.
///
/// Errors:  std::invalid_argument if it cannot be read, a column is not there, has text, missing
///          values that are not dropped, or is constant in the training rows, which it names; if
///          weights are not positive; and if too few rows are left. RankFailure on several ranks,
///          all of which call it.
Data load_data(const FitOptions& options, const Communicator& ranks,
               const MemoryLimits& limits = {});

/// The number of rows that flows are trained on.
Index training_rows(const Data& data);

/// Some of the rows in standard units.
WeightedRows standard_rows(const Data& data, const std::vector<std::uint32_t>& chosen);

/// Some of the rows in the standard numbers of the maps.
WeightedRows mapped_rows(const Data& data, const std::vector<std::uint32_t>& chosen);

/// All rows in the standard numbers of the maps. To a number of a rounded column, one is added that
/// is uniform within half a step to both sides: a flow would find a spike at every step.
Tensor<double> smoothed_rows(const Data& data, const RandomKey& random);

/// The numbers of some rows in their table, from 1.
std::vector<Index> table_numbers(const Data& data, const std::vector<std::uint32_t>& chosen);

/// The name of a column, or its number from 1.
std::string column_text(const Data& data, std::size_t column);

}  // namespace fjord::apps::density
