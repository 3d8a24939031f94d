#include "fjord/apps/common/csv_rows.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "fjord/apps/common/message.hpp"

namespace fjord::apps {
namespace {

std::string fields_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " field" : " fields");
}

std::string fault_of(const CsvField& field) {
  return "the field " + std::string(field.fault) + ", got \"" + shown(field.text) + '"';
}

}  // namespace

CsvRows::CsvRows(std::string_view text, Header header, FileCheck check)
    : reader_(text), header_(header), check_(std::move(check)) {
  read_first_line();
}

CsvRows::CsvRows(TextSource source, Header header, FileCheck check)
    : reader_(std::move(source)), header_(header), check_(std::move(check)) {
  read_first_line();
}

void CsvRows::need(std::span<const Index> columns) {
  for (const Index column : columns) is_needed_[static_cast<std::size_t>(column)] = true;
}

std::string CsvRows::place(std::size_t line, std::size_t column) const {
  return place_in("line", line, column + 1, names_) + ": ";
}

void CsvRows::read_first_line() {
  check_(reader_.next_row(), "there are no rows of numbers in it");
  std::vector<FirstField> fields;
  do {
    const CsvField field = reader_.field();
    check_(field.fault.empty(),
           [&] { return place(reader_.line(), fields.size()) + fault_of(field); });
    fields.push_back({std::string(field.text), cell_of(field.text), reader_.line()});
  } while (!reader_.row_ended());
  first_line_ = fields[0].line;
  faults_.resize(fields.size());
  is_needed_.resize(fields.size());
  if (is_header(fields)) {
    for (FirstField& field : fields) names_.push_back(std::move(field.text));
    return;
  }
  names_ = reader_.comment_fields();
  if (names_.size() != fields.size()) names_.clear();
  first_row_ = std::move(fields);
  note_whole_numbers();
}

bool CsvRows::is_header(const std::vector<FirstField>& fields) const {
  if (header_ != Header::automatic) return header_ == Header::yes;
  const auto first_of = [&](Cell::Kind kind) {
    return std::ranges::find(fields, kind, [](const FirstField& f) { return f.cell.kind; });
  };
  const auto text = first_of(Cell::Kind::text);
  const auto fraction = std::min(first_of(Cell::Kind::fraction), first_of(Cell::Kind::beyond));
  if (text == fields.end()) return false;
  check_(fraction == fields.end(), [&] {
    return place(text->line, static_cast<std::size_t>(text - fields.begin())) + "\"" +
           shown(text->text) + "\" is text, as in a header, and \"" + shown(fraction->text) +
           "\" is a number, as in a row; give --header yes or --header no";
  });
  return true;
}

void CsvRows::note_whole_numbers() {
  const bool is_whole = std::ranges::all_of(
      first_row_, [](const FirstField& f) { return f.cell.kind == Cell::Kind::whole; });
  if (is_whole && header_ == Header::automatic) without_fraction_.assign(faults_.size(), true);
}

Index CsvRows::read(Index most, std::vector<double>& values) {
  Index count = 0;
  for (; count < most && !has_ended_; ++count) {
    if (!first_row_.empty()) {
      append_first_row(values);
    } else if (reader_.next_row()) {
      append_row(values);
    } else {
      end();
      break;
    }
    ++rows_;
  }
  return count;
}

void CsvRows::append_first_row(std::vector<double>& values) {
  const char* advice =
      header_ == Header::automatic ? "; give --header yes if this line is a header" : "";
  const std::vector<FirstField> fields = std::exchange(first_row_, {});
  for (std::size_t k = 0; k < fields.size(); ++k) values.push_back(number_of(fields[k], k, advice));
}

void CsvRows::append_row(std::vector<double>& values) {
  const std::size_t columns = faults_.size();
  // In a table of one column, an empty line is an empty field.
  check_(columns > 1 || reader_.blank_line() == 0,
         [&] { return place(reader_.blank_line(), 0) + refusal_of(cell_of(""), ""); });
  std::size_t column = 0;
  do {
    if (column == columns) fail_width(column);
    const std::optional<double> plain = reader_.number();
    values.push_back(plain ? *plain : other_number(column));
    if (plain && !without_fraction_.empty()) note_fraction(column, reader_.number_text());
    ++column;
  } while (!reader_.row_ended());
  if (column < columns) fail_width(column);
}

// A field that is not written as the plain number that most are.
double CsvRows::other_number(std::size_t column) {
  const CsvField field = reader_.field();
  const FirstField known{std::string(field.text), cell_of(field.text), reader_.line()};
  check_(field.fault.empty(), [&] { return place(known.line, column) + fault_of(field); });
  if (!without_fraction_.empty() && known.cell.is_number()) note_fraction(column, known.text);
  return number_of(known, column, "");
}

// The number in a field, or NaN where that is allowed.
double CsvRows::number_of(const FirstField& field, std::size_t column, const char* advice) {
  if (field.cell.is_number()) return field.cell.value;
  ColumnFaults& faults = faults_[column];
  std::string& fault = field.cell.kind == Cell::Kind::missing ? faults.missing : faults.other;
  if (fault.empty())
    fault = place(field.line, column) + refusal_of(field.cell, field.text) + advice;
  check_(!is_needed_[column], [&] { return fault; });
  return std::numeric_limits<double>::quiet_NaN();
}

// In the first column that one of the row and the first line have, and the other has not.
void CsvRows::fail_width(std::size_t column) {
  const std::size_t line = reader_.line();
  std::size_t count = column;
  for (; !reader_.row_ended(); ++count) reader_.field();
  check_.fail(place(line, column) + "the row has " + fields_text(count) +
              ", and the first line has " + std::to_string(faults_.size()) + ", got \"" +
              shown(reader_.row_text()) + '"');
}

void CsvRows::note_fraction(std::size_t column, std::string_view text) {
  if (text.find_first_of(".eE") != std::string_view::npos) without_fraction_[column] = false;
}

void CsvRows::end() {
  has_ended_ = true;
  check_(rows_ > 0, [&] {
    return "there are no rows of numbers in it: line " + std::to_string(first_line_) +
           " was read as the header" +
           (header_ == Header::yes ? "" : "; give --header no if it is a row");
  });
  const bool may_be_header =
      !without_fraction_.empty() && std::ranges::none_of(without_fraction_, std::identity());
  check_(!may_be_header, [&] {
    return "line " + std::to_string(first_line_) +
           " may be a header: it has whole numbers only, and every column below has fractions; "
           "give --header yes or --header no";
  });
}

}  // namespace fjord::apps
