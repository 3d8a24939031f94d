#include "fjord/apps/common/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "fjord/apps/common/csv_table.hpp"
#include "fjord/apps/common/file_kind.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/npy.hpp"

namespace fjord::apps {
namespace {

// An array that is not a table, and how to make one of it.
std::string shape_message(const Shape& shape) {
  const std::string got = "an array of shape [rows, columns] is needed, got " + to_string(shape);
  if (shape.rank() == 1) {
    const std::string size = std::to_string(shape[0]);
    return got + "; save it as [" + size + ", 1], x.reshape(-1, 1), for " + size +
           " rows of one column, or as [1, " + size + "], x.reshape(1, -1), for one row";
  }
  if (shape.rank() == 2) return got + ", which has no entries";
  return got + "; save it with two axes, as x.reshape(len(x), -1) gives";
}

void check_faults(const ColumnFaults& faults, const FileCheck& check) {
  for (const std::string& fault : {faults.missing, faults.other}) check(fault.empty(), fault);
}

// An array with the places of what is not finite.
LooseTable table_of(Tensor<double> values, const FileCheck& check) {
  check(values.shape().rank() == 2 && values.size() > 0,
        [&] { return shape_message(values.shape()); });
  std::vector<ColumnFaults> faults(static_cast<std::size_t>(values.shape()[1]));
  for (Index i = 0; i < values.shape()[0]; ++i) {
    for (Index k = 0; k < values.shape()[1]; ++k) {
      double& value = values(i, k);
      if (std::isfinite(value)) continue;
      ColumnFaults& of_column = faults[static_cast<std::size_t>(k)];
      std::string& fault = std::isnan(value) ? of_column.missing : of_column.other;
      if (fault.empty()) {
        fault =
            place_in("row", static_cast<std::size_t>(i + 1), static_cast<std::size_t>(k + 1), {}) +
            ": a finite number is needed, got " + number_text(value);
      }
      value = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return {{{}, std::move(values)}, std::move(faults)};
}

LooseTable load(const std::string& file, Header header, std::string_view op, bool is_loose) {
  const bool is_stream = file == "-";
  const std::string name = is_stream ? "standard input" : file;
  const std::string bytes = is_stream ? read_standard_input() : read_file(file);
  const FileCheck check(op, name);
  const std::string_view foreign = foreign_kind(bytes);
  check(foreign.empty(), foreign);
  if (!is_npy(bytes) && !has_ending(file, ".npy")) {
    if (is_loose) return parse_loose_csv(bytes, header, check);
    return {parse_csv(bytes, header, check), {}};
  }
  check(header != Header::yes, "an array has no header; leave out --header yes");
  LooseTable table = table_of(parse_npy<double>(bytes, name), check);
  for (const ColumnFaults& faults : table.faults)
    if (!is_loose) check_faults(faults, check);
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

template <class T>
Tensor<T> values_as(const Tensor<double>& values, std::span<const std::string> names,
                    const FileCheck& check) {
  Tensor<T> result = values.as<T>();
  for (Index i = 0; i < values.shape()[0]; ++i) {
    for (Index k = 0; k < values.shape()[1]; ++k) {
      check(std::isfinite(result(i, k)), [&] {
        return place_in("row", static_cast<std::size_t>(i + 1), static_cast<std::size_t>(k + 1),
                        names) +
               ": " + number_text(values(i, k)) +
               " is beyond the numbers of this precision; compute in double";
      });
    }
  }
  return result;
}

template Tensor<float> values_as(const Tensor<double>&, std::span<const std::string>,
                                 const FileCheck&);
template Tensor<double> values_as(const Tensor<double>&, std::span<const std::string>,
                                  const FileCheck&);

}  // namespace fjord::apps
