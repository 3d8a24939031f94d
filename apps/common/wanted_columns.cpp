#include "fjord/apps/common/wanted_columns.hpp"

#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {

bool is_by_name(const WantedColumns& wanted, std::span<const std::string> names) {
  return !wanted.names.empty() && !names.empty();
}

std::vector<Index> places_in(const WantedColumns& wanted, std::span<const std::string> names,
                             Index columns) {
  if (is_by_name(wanted, names)) return places_of(wanted.names, names, wanted.file);
  FileCheck(wanted.option, wanted.file)(columns == wanted.count, [&] {
    return "rows of " + std::to_string(columns) + (columns == 1 ? " number" : " numbers") +
           ", and the model needs rows of " + std::to_string(wanted.count) +
           "; keep the columns that it was trained on";
  });
  std::vector<Index> all(static_cast<std::size_t>(columns));
  std::iota(all.begin(), all.end(), Index(0));
  return all;
}

WantedTables wanted_tables(const RowFiles& files, const flows::ColumnNames& names,
                           const RowWidths& widths) {
  require(widths.given > 0 || files.conditions.empty(), "--conditions",
          "the model knows of no columns that are given; leave out the option");
  const bool is_given_in_data = widths.given > 0 && files.conditions.empty();
  WantedColumns given{"--conditions", files.conditions, names.given, widths.given};
  if (is_given_in_data) given = {"--data", files.data, names.given, widths.given};
  return {{"--data", files.data, names.columns, widths.dim}, std::move(given), is_given_in_data};
}

void check_given_in_data(const WantedTables& wanted, std::span<const std::string> names) {
  require(!wanted.is_given_in_data || is_by_name(wanted.given, names), "--conditions",
          "the model needs columns that are given, and these have no names; give a table of them");
}

void check_row_counts(const RowFiles& files, Index data, Index conditions) {
  require(data == conditions, "--conditions", [&] {
    return files.conditions + " has " + std::to_string(conditions) + " rows, and " + files.data +
           " " + std::to_string(data) + "; give one for each row";
  });
}

}  // namespace fjord::apps
