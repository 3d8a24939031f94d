/// Tables of numbers in CSV text, row by row.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/apps/common/cell.hpp"
#include "fjord/apps/common/csv_reader.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {

/// Reads the rows of a table; see CsvReader for the text's form and Cell for its fields. Those that
/// are missing or not finite numbers are NaN.
///
/// The first line is a header if one of its fields is text and none is a number with a fraction or
/// an exponent. Without a header, the last comment above the first row gives the names if it has as
/// many fields. `header` overrides this.
///
/// Errors:  std::invalid_argument through the check, with line, column, and the text read, if a row
///          and the first line have different numbers of fields; if a quote is wrong; if there are
///          no rows; and if the first line may be names or numbers: it mixes text with fractions,
///          or all its numbers are whole and every column below has fractions. All but the first
///          line are read, and refused, by read().
class CsvRows final {
 public:
  /// The text must outlive it.
  CsvRows(std::string_view text, Header header, FileCheck check);

  /// Keeps little of the text in memory.
  CsvRows(TextSource source, Header header, FileCheck check);

  const std::vector<std::string>& names() const { return names_; }  ///< of the columns, or none

  Index columns() const { return static_cast<Index>(faults_.size()); }

  /// In these columns, counted from 0, entries that are not finite numbers are errors from now on.
  void need(std::span<const Index> columns);

  void need_all() { is_needed_.assign(is_needed_.size(), true); }

  /// Appends the next rows, at most so many, one after another; returns how many, 0 at the end.
  Index read(Index most, std::vector<double>& values);

  /// What the columns had that were not needed, so far.
  const std::vector<ColumnFaults>& faults() const { return faults_; }

 private:
  /// A field of the first line, which is read before it is known whether it is a name or a number.
  struct FirstField {
    std::string text;
    Cell cell;
    std::size_t line;
  };

  void read_first_line();
  bool is_header(const std::vector<FirstField>& fields) const;
  void note_whole_numbers();
  void append_first_row(std::vector<double>& values);
  void append_row(std::vector<double>& values);
  double other_number(std::size_t column);
  double number_of(const FirstField& field, std::size_t column, const char* advice);
  [[noreturn]] void fail_width(std::size_t column);
  void note_fraction(std::size_t column, std::string_view text);
  void end();
  std::string place(std::size_t line, std::size_t column) const;

  CsvReader reader_;
  Header header_;
  FileCheck check_;
  std::vector<std::string> names_;
  std::vector<ColumnFaults> faults_;
  std::vector<bool> is_needed_;
  std::vector<FirstField> first_row_;  // until it is taken
  std::size_t first_line_ = 0;
  Index rows_ = 0;  // read so far
  bool has_ended_ = false;
  // Of each column, whether all numbers below the first line are whole; empty if that is clear.
  std::vector<bool> without_fraction_;
};

}  // namespace fjord::apps
