/// Rows of tables in the columns of a model.
#pragma once

#include <string>
#include <vector>

#include "fjord/apps/common/trained_model.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// The files that rows come from, as options name them.
struct RowFiles {
  std::string model;       ///< to name it in errors
  std::string data;        ///< table of rows; empty for none
  std::string conditions;  ///< table of what is given of each row; empty for columns of `data`
  std::string header;      ///< yes or no; empty: decided by the first line
};

/// How many numbers a row has.
struct RowWidths {
  Index dim = 0;
  Index given = 0;
};

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

}  // namespace fjord::apps
