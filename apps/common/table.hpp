/// Tables of numbers, read from .npy and CSV.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

struct Table {
  std::vector<std::string> names;  ///< of the columns; none if the file names none
  Tensor<double> values;           ///< [rows, columns], at least one of each, all finite
};

/// Whether the first line of CSV text names the columns; `automatic` decides by its fields.
enum class Header { automatic, yes, no };

/// What --header says: yes, no or, for an empty text, automatic.
Header header_of(const std::string& text);

/// Reads a table from a file, or from standard input if the name is "-": numpy's .npy format if the
/// bytes or the name say so, CSV otherwise (see parse_csv()), and all parts if it is a folder of
/// them (see MappedFile).
///
/// Errors:  std::invalid_argument for files of other kinds, which it names, for arrays that are not
///          [rows, columns], and for entries that are not finite numbers, with line or row and
///          column, counted from 1.
Table load_table(const std::string& file, Header header = Header::automatic);

/// Why entries of a column are not finite numbers: the first of each kind, with its place.
struct ColumnFaults {
  std::string missing;  ///< a missing value; empty for none
  std::string other;    ///< a text, an infinity, a number beyond those of double; empty for none
};

/// A table of which some columns are used: entries that are not finite numbers are NaN.
struct LooseTable {
  Table table;
  std::vector<ColumnFaults> faults;  ///< of each column
};

/// Reads a table as load_table() does, but for entries that are not finite numbers.
///
/// `op` is what errors name, as FileCheck does.
LooseTable load_loose_table(const std::string& file, Header header = Header::automatic,
                            std::string_view op = "--data");

/// Some columns of a table, in this order, counted from 0.
///
/// Errors:  std::invalid_argument through `check` if an entry in them is not a finite number.
Tensor<double> columns_of(const LooseTable& loose, std::span<const Index> columns,
                          const FileCheck& check);

/// Some rows of a table [N, D] in this order, counted from 0, or no numbers as they are.
Tensor<double> chosen_rows(const Tensor<double>& values, std::span<const std::uint32_t> chosen);

/// The columns from `first` up to `end`, without it, of a table in memory.
template <class T>
TensorView<T> columns_view(const Tensor<T>& rows, Index first, Index end) {
  const Index count = rows.shape()[0];
  return {rows.data() + first * count, Shape{count, end - first}, Order::column_major};
}

template <class T>
TensorView<T> columns_view(Tensor<T>&& rows, Index first, Index end) = delete;

/// A place in a table as errors name it: "row 2, column 3 (height)".
std::string place_in(const char* unit, std::size_t line, std::size_t column,
                     std::span<const std::string> names);

/// What is wrong with a number of an array that is not finite, or beyond those of a precision; row
/// and column are counted from 1.
std::string array_fault(std::size_t row, std::size_t column, std::span<const std::string> names,
                        double value);

/// The table's values in the precision T; errors count rows from `first_row`.
///
/// Errors:  std::invalid_argument through `check` for a number beyond those of T, with its place.
template <class T>
Tensor<T> values_as(const Tensor<double>& values, std::span<const std::string> names,
                    const FileCheck& check, Index first_row = 1);

}  // namespace fjord::apps
