/// Columns of tables that a model needs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fjord/apps/common/trained_model.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/flows/model_file.hpp"

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

template <class T>
RowWidths widths_of(flows::Distribution<T>& model) {
  const nn::Description<T> description = model.describe();
  return {model.dim(), flows::given_width(description.config())};
}

/// Columns that are wanted of a table, which an option names.
struct WantedColumns {
  const char* option;
  std::string file;
  std::vector<std::string> names;  ///< or none
  Index count;
};

/// Whether the columns are found by their names: the table and the model have some.
bool is_by_name(const WantedColumns& wanted, std::span<const std::string> names);

/// The places of the columns in a table with these names, or none, and so many columns.
///
/// Errors:  std::invalid_argument "[option] ..." if a column is not there or twice; without names,
///          if the table has not as many as are wanted.
std::vector<Index> places_in(const WantedColumns& wanted, std::span<const std::string> names,
                             Index columns);

/// What is wanted of both tables, the second one for what is given.
struct WantedTables {
  WantedColumns data;
  WantedColumns given;
  bool is_given_in_data;  ///< what is given are columns of the first table
};

/// What a model needs of the files.
///
/// Errors:  std::invalid_argument "[--conditions] ..." if there are conditions that it does not
///          know of.
WantedTables wanted_tables(const RowFiles& files, const flows::ColumnNames& names,
                           const RowWidths& widths);

/// Refuses data without what is given in it, where it or the model has no names.
///
/// Errors:  std::invalid_argument "[--conditions] ...".
void check_given_in_data(const WantedTables& wanted, std::span<const std::string> names);

/// Refuses conditions that are not one for each row of data.
///
/// Errors:  std::invalid_argument "[--conditions] ...".
void check_row_counts(const RowFiles& files, Index data, Index conditions);

}  // namespace fjord::apps
