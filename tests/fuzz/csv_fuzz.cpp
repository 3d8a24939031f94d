// Tables in CSV text; the first byte chooses --header.
#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fjord/apps/common/csv_rows.hpp"
#include "fjord/apps/common/csv_table.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

namespace {

using namespace fjord::apps;

// The table, or why it is refused, read a few characters at a time.
fjord::Tensor<double> read_in_pieces(std::string_view text, Header header, std::string& refusal) {
  const TextSource source = [text, size = std::size_t{0}](std::span<char> to) mutable {
    size = size % 7 + 1;
    const std::size_t some = std::min({size, to.size(), text.size()});
    std::copy_n(text.begin(), some, to.begin());
    text.remove_prefix(some);
    return some;
  };
  try {
    CsvRows rows(source, header, fjord::FileCheck("--data", "t.csv"));
    rows.need_all();
    return loose_table_of(rows).table.values;
  } catch (const std::invalid_argument& error) {
    refusal = error.what();
    return fjord::Tensor<double>::zeros({0});
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  if (count == 0) return 0;
  const std::string_view text = fjord::test::text_of(bytes + 1, count - 1);
  const auto header = static_cast<Header>(bytes[0] % 3);
  std::string refusal;
  const fjord::Tensor<double> in_pieces = read_in_pieces(text, header, refusal);
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
    fjord::test::check(in_pieces == values, "a table in pieces is the same");
  } catch (const std::invalid_argument&) {
    fjord::test::check(!refusal.empty(), "a table in pieces is refused, too");
    return 0;
  }
  return 0;
}
