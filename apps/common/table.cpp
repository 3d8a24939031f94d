#include "fjord/apps/common/table.hpp"

#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "fjord/apps/common/csv_rows.hpp"
#include "fjord/apps/common/csv_table.hpp"
#include "fjord/apps/common/mapped_file.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/table_input.hpp"

namespace fjord::apps {
namespace {

void check_faults(const ColumnFaults& faults, const FileCheck& check) {
  for (const std::string& fault : {faults.missing, faults.other}) check(fault.empty(), fault);
}

LooseTable load_csv(TableInput& input, Header header, bool is_loose) {
  CsvRows rows(input.text(), header, input.check());
  if (!is_loose) rows.need_all();
  return loose_table_of(rows);
}

LooseTable load(const std::string& file, Header header, std::string_view op, bool is_loose) {
  const std::unique_ptr<MappedFile> mapped = open_mapped(file, header, op);
  LooseTable table;
  if (mapped != nullptr) {
    table = loose_table_of(*mapped);
  } else {
    TableInput input(file, op);
    if (!input.is_array()) return load_csv(input, header, is_loose);
    check_array_header(header, input.check());
    table = array_in(std::move(input));
  }
  for (const ColumnFaults& faults : table.faults)
    if (!is_loose) check_faults(faults, FileCheck(op, file));
  return table;
}

}  // namespace

Header header_of(const std::string& text) {
  if (text.empty()) return Header::automatic;
  return text == "yes" ? Header::yes : Header::no;
}

Table load_table(const std::string& file, Header header) {
  return load(file, header, "--data", false).table;
}

LooseTable load_loose_table(const std::string& file, Header header, std::string_view op) {
  return load(file, header, op, true);
}

Tensor<double> columns_of(const LooseTable& loose, std::span<const Index> columns,
                          const FileCheck& check) {
  const Index rows = loose.table.values.shape()[0];
  const auto count = static_cast<Index>(columns.size());
  Tensor<double> result = Tensor<double>::zeros({rows, count});
  for (Index k = 0; k < count; ++k) {
    const Index column = columns[static_cast<std::size_t>(k)];
    check_faults(loose.faults[static_cast<std::size_t>(column)], check);
    for (Index i = 0; i < rows; ++i) result(i, k) = loose.table.values(i, column);
  }
  return result;
}

Tensor<double> chosen_rows(const Tensor<double>& values, std::span<const std::uint32_t> chosen) {
  if (values.shape().rank() != 2) return values;
  Tensor<double> result =
      Tensor<double>::zeros({static_cast<Index>(chosen.size()), values.shape()[1]});
  for (Index k = 0; k < values.shape()[1]; ++k) {
    for (std::size_t i = 0; i < chosen.size(); ++i)
      result(static_cast<Index>(i), k) = values(static_cast<Index>(chosen[i]), k);
  }
  return result;
}

std::string place_in(const char* unit, std::size_t line, std::size_t column,
                     std::span<const std::string> names) {
  std::string place =
      std::string(unit) + " " + std::to_string(line) + ", column " + std::to_string(column);
  if (column > names.size() || names[column - 1].empty()) return place;
  return place + " (" + shown(names[column - 1]) + ")";
}

std::string array_fault(std::size_t row, std::size_t column, std::span<const std::string> names,
                        double value) {
  const std::string place = place_in("row", row, column, names) + ": ";
  if (!std::isfinite(value)) return place + "a finite number is needed, got " + number_text(value);
  return place + number_text(value) + " is beyond the numbers of this precision; compute in double";
}

template <class T>
Tensor<T> values_as(const Tensor<double>& values, std::span<const std::string> names,
                    const FileCheck& check, Index first_row) {
  Tensor<T> result = values.as<T>();
  for (Index i = 0; i < values.shape()[0]; ++i) {
    for (Index k = 0; k < values.shape()[1]; ++k) {
      check(std::isfinite(result(i, k)), [&] {
        return array_fault(static_cast<std::size_t>(first_row + i), static_cast<std::size_t>(k + 1),
                           names, values(i, k));
      });
    }
  }
  return result;
}

template Tensor<float> values_as(const Tensor<double>&, std::span<const std::string>,
                                 const FileCheck&, Index);
template Tensor<double> values_as(const Tensor<double>&, std::span<const std::string>,
                                  const FileCheck&, Index);

}  // namespace fjord::apps
