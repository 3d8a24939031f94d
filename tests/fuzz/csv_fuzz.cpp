// Tables in CSV text; the first byte chooses --header.
#include <cmath>
#include <stdexcept>

#include "fjord/apps/common/csv_table.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using namespace fjord::apps;
  if (count == 0) return 0;
  const std::string_view text = fjord::test::text_of(bytes + 1, count - 1);
  const auto header = static_cast<Header>(bytes[0] % 3);
  try {
    const LooseTable loose = parse_loose_csv(text, header, fjord::FileCheck("--data", "t.csv"));
    const fjord::Tensor<double>& values = loose.table.values;
    const auto columns = static_cast<std::size_t>(values.shape()[1]);
    fjord::test::check(values.size() > 0, "a table has entries");
    fjord::test::check(loose.faults.size() == columns, "every column has its faults");
    fjord::test::check(loose.table.names.empty() || loose.table.names.size() == columns,
                       "every column or none has a name");
    for (const double value : values.storage())
      fjord::test::check(!std::isinf(value), "no entry is infinite");
    const Table table = parse_csv(text, header, fjord::FileCheck("--data", "t.csv"));
    fjord::test::check(table.values == values, "both ways of reading agree");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  return 0;
}
