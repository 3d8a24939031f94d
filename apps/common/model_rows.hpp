/// Rows of tables in the columns of a model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fjord/apps/common/wanted_columns.hpp"
#include "fjord/autodiff/communicator.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

struct ModelRows {
  std::vector<std::string> names;  ///< of the columns, and then of what is given; or none
  Tensor<double> values = Tensor<double>::zeros({0});  ///< [N, D], or without numbers
  Tensor<double> given = Tensor<double>::zeros({0});   ///< [N, G], or without numbers
};

/// Reads the files. A table's columns are found by their names where it and the model have some;
/// otherwise all columns are taken, and what is given must be a table of its own.
///
/// Errors:  std::invalid_argument "[--data] ..." or "[--conditions] ..." if a table cannot be read,
///          has not the columns, or the two have different numbers of rows; or if what is given is
///          missing, or not asked for.
ModelRows load_model_rows(const RowFiles& files, const nn::State& state, const RowWidths& widths);

/// Gives every rank the rows that rank 0 reads; errors as agree().
ModelRows rows_of_first_rank(const Communicator& ranks, const std::function<ModelRows()>& read);

}  // namespace fjord::apps
