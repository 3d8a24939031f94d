#include "fjord/apps/common/csv_table.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "fjord/apps/common/cell.hpp"
#include "fjord/apps/common/csv_reader.hpp"
#include "fjord/apps/common/message.hpp"

namespace fjord::apps {
namespace {

std::string fields_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " field" : " fields");
}

/// A field of the first line, which is read before it is known whether it is a name or a number.
struct FirstField {
  std::string text;
  Cell cell;
  std::size_t line;
};

class Parser final {
 public:
  Parser(std::string_view text, Header header, const FileCheck& check, bool is_loose)
      : reader_(text), header_(header), check_(check), is_loose_(is_loose) {}

  LooseTable parse() {
    check_(reader_.next_row(), "there are no rows of numbers in it");
    read_first_row();
    while (reader_.next_row()) read_row();
    check_(!values_.empty(), [&] {
      return "there are no rows of numbers in it: line " + std::to_string(first_line_) +
             " was read as the header" +
             (header_ == Header::yes ? "" : "; give --header no if it is a row");
    });
    check_first_line();
    const auto rows = static_cast<Index>(values_.size() / columns_);
    return {{names_, Tensor<double>::from({rows, static_cast<Index>(columns_)}, values_)}, faults_};
  }

 private:
  std::string place(std::size_t line, std::size_t column) const {
    return place_in("line", line, column + 1, names_) + ": ";
  }

  void read_first_row() {
    std::vector<FirstField> fields;
    do {
      const CsvField field = reader_.field();
      check_(field.fault.empty(),
             [&] { return place(reader_.line(), fields.size()) + fault_of(field); });
      fields.push_back({std::string(field.text), cell_of(field.text), reader_.line()});
    } while (!reader_.row_ended());
    first_line_ = fields[0].line;
    columns_ = fields.size();
    faults_.resize(columns_);
    if (is_header(fields)) {
      for (FirstField& field : fields) names_.push_back(std::move(field.text));
    } else {
      names_ = reader_.comment_fields();
      if (names_.size() != columns_) names_.clear();
      read_numbers(fields);
    }
  }

  bool is_header(const std::vector<FirstField>& fields) const {
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

  void read_numbers(const std::vector<FirstField>& fields) {
    for (const FirstField& field : fields) {
      const char* advice =
          header_ == Header::automatic ? "; give --header yes if this line is a header" : "";
      values_.push_back(number_of(field.cell, field.text, field.line, values_.size(), advice));
    }
    const bool is_whole = std::ranges::all_of(
        fields, [](const FirstField& f) { return f.cell.kind == Cell::Kind::whole; });
    if (is_whole && header_ == Header::automatic) without_fraction_.assign(columns_, true);
  }

  void read_row() {
    // In a table of one column, an empty line is an empty field.
    check_(columns_ > 1 || reader_.blank_line() == 0,
           [&] { return place(reader_.blank_line(), 0) + refusal_of(cell_of(""), ""); });
    std::size_t column = 0;
    do {
      if (column == columns_) fail_width(column);
      const std::optional<double> plain = reader_.number();
      values_.push_back(plain ? *plain : other_number(column));
      if (plain && !without_fraction_.empty()) {
        note_fraction(column, reader_.number_text());
      }
      ++column;
    } while (!reader_.row_ended());
    if (column < columns_) fail_width(column);
  }

  // A field that is not written as the plain number that most are.
  double other_number(std::size_t column) {
    const CsvField field = reader_.field();
    const Cell cell = cell_of(field.text);
    check_(field.fault.empty(), [&] { return place(reader_.line(), column) + fault_of(field); });
    if (!without_fraction_.empty() && cell.is_number()) note_fraction(column, field.text);
    return number_of(cell, field.text, reader_.line(), column, "");
  }

  // The number in a field, or NaN where that is allowed.
  double number_of(const Cell& cell, std::string_view text, std::size_t line, std::size_t column,
                   const char* advice) {
    if (cell.is_number()) return cell.value;
    ColumnFaults& faults = faults_[column];
    std::string& fault = cell.kind == Cell::Kind::missing ? faults.missing : faults.other;
    if (fault.empty()) fault = place(line, column) + refusal_of(cell, text) + advice;
    check_(is_loose_, [&] { return fault; });
    return std::numeric_limits<double>::quiet_NaN();
  }

  static std::string fault_of(const CsvField& field) {
    return "the field " + std::string(field.fault) + ", got \"" + shown(field.text) + '"';
  }

  // In the first column that one of the row and the first line have, and the other has not.
  [[noreturn]] void fail_width(std::size_t column) {
    const std::size_t line = reader_.line();
    std::size_t count = column;
    for (; !reader_.row_ended(); ++count) reader_.field();
    check_.fail(place(line, column) + "the row has " + fields_text(count) +
                ", and the first line has " + std::to_string(columns_) + ", got \"" +
                shown(reader_.row_text()) + '"');
  }

  void note_fraction(std::size_t column, std::string_view text) {
    if (text.find_first_of(".eE") != std::string_view::npos) without_fraction_[column] = false;
  }

  void check_first_line() const {
    const bool may_be_header =
        !without_fraction_.empty() && std::ranges::none_of(without_fraction_, std::identity());
    check_(!may_be_header, [&] {
      return "line " + std::to_string(first_line_) +
             " may be a header: it has whole numbers only, and every column below has fractions; "
             "give --header yes or --header no";
    });
  }

  CsvReader reader_;
  Header header_;
  const FileCheck& check_;
  bool is_loose_;
  std::size_t first_line_ = 0;
  std::size_t columns_ = 0;
  std::vector<std::string> names_;
  std::vector<double> values_;
  std::vector<ColumnFaults> faults_;
  std::vector<bool> without_fraction_;  // of each column; empty if the first line is clear
};

}  // namespace

LooseTable parse_loose_csv(std::string_view text, Header header, const FileCheck& check) {
  return Parser(text, header, check, true).parse();
}

Table parse_csv(std::string_view text, Header header, const FileCheck& check) {
  return Parser(text, header, check, false).parse().table;
}

}  // namespace fjord::apps
