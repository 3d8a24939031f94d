#include "fjord/apps/common/model_rows.hpp"

#include <numeric>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {
namespace {

// What columns of a table are wanted.
struct Wanted {
  const char* option;
  std::string file;
  const std::vector<std::string>& names;
  Index count;
};

Tensor<double> wanted_columns(const LooseTable& loose, const Wanted& wanted) {
  const FileCheck check(wanted.option, wanted.file);
  if (!wanted.names.empty() && !loose.table.names.empty())
    return columns_of(loose, places_of(wanted.names, loose.table.names, wanted.file), check);
  const Index columns = loose.table.values.shape()[1];
  check(columns == wanted.count, [&] {
    return "rows of " + std::to_string(columns) + (columns == 1 ? " number" : " numbers") +
           ", and the model needs rows of " + std::to_string(wanted.count) +
           "; keep the columns that it was trained on";
  });
  std::vector<Index> all(static_cast<std::size_t>(columns));
  std::iota(all.begin(), all.end(), Index(0));
  return columns_of(loose, all, check);
}

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
  const bool has_conditions = !files.conditions.empty();
  require(widths.given > 0 || !has_conditions, "--conditions",
          "the model knows of no columns that are given; leave out the option");
  ModelRows rows;
  if (!files.data.empty()) {
    const LooseTable data = load_data(files, !names.columns.empty());
    rows.names = names.columns.empty() ? data.table.names : names.columns;
    rows.values = wanted_columns(data, {"--data", files.data, names.columns, widths.dim});
    if (widths.given > 0 && !has_conditions) {
      require(!names.given.empty() && !data.table.names.empty(), "--conditions",
              "the model needs columns that are given, and these have no names; give a table of "
              "them");
      rows.given = wanted_columns(data, {"--data", files.data, names.given, widths.given});
    }
  }
  if (has_conditions) {
    const LooseTable table =
        load_loose_table(files.conditions, header_of(files.header), "--conditions");
    rows.given =
        wanted_columns(table, {"--conditions", files.conditions, names.given, widths.given});
    const Index count = rows.given.shape()[0];
    require(files.data.empty() || count == rows.values.shape()[0], "--conditions", [&] {
      return files.conditions + " has " + std::to_string(count) + " rows, and " + files.data + " " +
             std::to_string(rows.values.shape()[0]) + "; give one for each row";
    });
  }
  rows.names.insert(rows.names.end(), names.given.begin(), names.given.end());
  return rows;
}

}  // namespace fjord::apps
