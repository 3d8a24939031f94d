#include "fjord/apps/common/csv_table.hpp"

#include <limits>
#include <numeric>
#include <vector>

#include "fjord/apps/common/csv_rows.hpp"

namespace fjord::apps {

LooseTable loose_table_of(CsvRows& rows) {
  std::vector<double> values;
  rows.read(std::numeric_limits<Index>::max(), values);
  const Index count = static_cast<Index>(values.size()) / rows.columns();
  return {{rows.names(), Tensor<double>::from({count, rows.columns()}, values)}, rows.faults()};
}

LooseTable parse_loose_csv(std::string_view text, Header header, const FileCheck& check) {
  CsvRows rows(text, header, check);
  return loose_table_of(rows);
}

Table parse_csv(std::string_view text, Header header, const FileCheck& check) {
  CsvRows rows(text, header, check);
  rows.need_all();
  return loose_table_of(rows).table;
}

}  // namespace fjord::apps
