#include "fjord/apps/common/model_rows.hpp"

#include <nlohmann/json.hpp>

#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

Tensor<double> columns_in(const LooseTable& loose, const WantedColumns& wanted) {
  const std::vector<Index> places =
      places_in(wanted, loose.table.names, loose.table.values.shape()[1]);
  return columns_of(loose, places, FileCheck(wanted.option, wanted.file));
}

// Parts of rows on their way to other ranks.
constexpr const char* names_key = "names";
constexpr const char* values_key = "values";
constexpr const char* given_key = "given";

// Where columns are found by their names, only these need be numbers.
LooseTable load_data(const RowFiles& files, bool by_name) {
  const Header header = header_of(files.header);
  if (by_name) return load_loose_table(files.data, header);
  LooseTable table{load_table(files.data, header), {}};
  table.faults.resize(static_cast<std::size_t>(table.table.values.shape()[1]));
  return table;
}

}  // namespace

ModelRows load_model_rows(const RowFiles& files, const nn::State& state, const RowWidths& widths) {
  const flows::ColumnNames names = model_columns(files.model, state);
  const WantedTables wanted = wanted_tables(files, names, widths);
  ModelRows rows;
  if (!files.data.empty()) {
    const LooseTable data = load_data(files, !names.columns.empty());
    rows.names = names.columns.empty() ? data.table.names : names.columns;
    rows.values = columns_in(data, wanted.data);
    check_given_in_data(wanted, data.table.names);
    if (wanted.is_given_in_data) rows.given = columns_in(data, wanted.given);
  }
  if (!files.conditions.empty()) {
    const LooseTable table =
        load_loose_table(files.conditions, header_of(files.header), "--conditions");
    rows.given = columns_in(table, wanted.given);
    if (!files.data.empty()) check_row_counts(files, rows.values.shape()[0], rows.given.shape()[0]);
  }
  rows.names.insert(rows.names.end(), names.given.begin(), names.given.end());
  return rows;
}

ModelRows rows_of_first_rank(const Communicator& ranks, const std::function<ModelRows()>& read) {
  if (ranks.size() == 1) return read();
  const nn::State state = state_of_first_rank(ranks, [&] {
    ModelRows rows = read();
    nn::State sent;
    sent.metadata[names_key] = nlohmann::json(rows.names).dump();
    sent.tensors[values_key] = std::move(rows.values);
    sent.tensors[given_key] = std::move(rows.given);
    return sent;
  });
  return {nlohmann::json::parse(state.metadata.at(names_key)),
          std::get<Tensor<double>>(state.tensors.at(values_key)),
          std::get<Tensor<double>>(state.tensors.at(given_key))};
}

}  // namespace fjord::apps
