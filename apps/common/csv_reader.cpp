#include "fjord/apps/common/csv_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fjord/apps/common/cell.hpp"

namespace fjord::apps {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view separators = "\t;,";

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

// The separator in a first line "sep=;", quoted or not, or 0.
char named_separator(std::string_view text) {
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (line.size() > 2 && line.starts_with('"') && line.ends_with('"')) {
    line = line.substr(1, line.size() - 2);
  }
  const bool is_one = line.size() == 5 && line.starts_with("sep=") &&
                      separators.find(line.back()) != std::string_view::npos;
  return is_one ? line.back() : '\0';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::size_t most_digits = 15;

// Appends digits to a number, and returns how many; more than most_digits may not fit in it.
std::size_t take_digits(const char*& at, const char* end, std::uint64_t& number) {
  const char* first = at;
  while (at != end && is_digit(*at)) number = 10 * number + static_cast<std::uint64_t>(*at++ - '0');
  return static_cast<std::size_t>(at - first);
}

// Reads a number of at most 15 digits without an exponent, and returns its end, or nullptr if it is
// any other. Digits and power of ten are doubles then, so that their quotient is rounded once, and
// right. Most numbers in tables are such, and std::from_chars() takes three times as long for them.
//
// Source: W. D. Clinger, How to read floating point numbers accurately, 1990.
const char* read_short_number(const char* at, const char* end, double& value) {
  static constexpr std::array powers = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  static constexpr std::array signs = {1.0, -1.0};
  const std::size_t is_negative = at != end && *at == '-' ? 1 : 0;
  at += is_negative;
  std::uint64_t digits = 0;
  const std::size_t whole = take_digits(at, end, digits);
  if (whole > most_digits) return nullptr;
  const bool has_point = at != end && *at == '.';
  if (has_point) ++at;
  const std::size_t decimals = has_point ? take_digits(at, end, digits) : 0;
  if (whole + decimals == 0 || whole + decimals > most_digits) return nullptr;
  if (at != end && (is_digit(*at) || *at == 'e' || *at == 'E')) return nullptr;
  value = signs[is_negative] *
          (static_cast<double>(static_cast<std::int64_t>(digits)) / powers[decimals]);
  return at;
}

// Reads a finite number and returns its end, or nullptr if there is none.
const char* read_number(const char* at, const char* end, double& value) {
  if (const char* short_end = read_short_number(at, end, value)) return short_end;
  const auto [next, error] = std::from_chars(at, end, value);
  return error == std::errc() && std::isfinite(value) ? next : nullptr;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, char separator)
    : at_(text.data()),
      end_(text.data() + text.size()),
      separator_(separator),
      row_begin_(text.data()) {}

CsvReader::CsvReader(std::string_view text) : CsvReader(text, ',') {
  begin();
}

CsvReader::CsvReader(TextSource source)
    : at_(nullptr), end_(nullptr), source_(std::move(source)), is_final_(false) {
  constexpr std::size_t first_size = std::size_t{1} << 20;
  buffer_.resize(first_size);
  at_ = end_ = row_begin_ = buffer_.data();
  read_more();
  begin();
}

// Skips what is before the first row, and finds the separator.
void CsvReader::begin() {
  at_ += std::string_view(at_, end_).size() - without_mark({at_, end_}).size();
  row_begin_ = at_;
  const char named = named_separator({at_, end_});
  if (named != '\0') {
    separator_ = named;
    while (!is_end_of_line(at_)) ++at_;
    end_line();
    return;
  }
  std::optional<char> separator = separator_in({at_, end_});
  while (!separator) {
    read_more();
    separator = separator_in({at_, end_});
  }
  separator_ = *separator;
}

// Nothing if more of the text is needed to see it.
std::optional<char> CsvReader::separator_in(std::string_view text) const {
  std::string candidates;
  std::string better;
  for (const char separator : separators) {
    CsvReader reader(text, separator);
    const std::vector<std::string> first = reader.filled_row();
    std::vector<std::string> second = first.size() < 2 ? first : reader.filled_row();
    if (!is_final_ && reader.at_ == reader.end_) return {};
    if (first.size() < 2) continue;
    candidates += separator;
    if (second.empty()) second = first;
    if (second.size() != first.size()) continue;
    better += separator;
    const auto is_text = [](const std::string& f) { return cell_of(f).kind == Cell::Kind::text; };
    if (std::ranges::none_of(second, is_text)) return separator;
  }
  if (!better.empty()) return better.front();
  return candidates.empty() ? ',' : candidates.front();
}

// Reads on until another line has ended; false at the end of the text. What is before the row is
// let go.
bool CsvReader::read_more() {
  if (is_final_) return false;
  const auto done = static_cast<std::size_t>(row_begin_ - buffer_.data());
  const auto at = static_cast<std::size_t>(at_ - row_begin_);
  const auto end = static_cast<std::size_t>(end_ - row_begin_);
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(done),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  filled_ -= done;
  std::size_t new_end = end;
  while (!is_final_ && new_end == end) {
    if (filled_ == buffer_.size()) buffer_.resize(2 * filled_);
    const std::size_t count = source_(std::span(buffer_).subspan(filled_));
    filled_ += count;
    is_final_ = count == 0;
    new_end = is_final_ ? filled_ : std::max(end, end_of_lines());
  }
  row_begin_ = buffer_.data();
  at_ = row_begin_ + at;
  end_ = row_begin_ + new_end;
  return new_end > end;
}

// The place after the last line in the buffer that has ended.
std::size_t CsvReader::end_of_lines() const {
  const std::string_view text(buffer_.data(), filled_);
  const std::size_t line_feed = text.rfind('\n');
  if (line_feed != std::string_view::npos) return line_feed + 1;
  // A return at the end may be the first half of a line's end.
  const std::size_t end = text.substr(0, text.size() - 1).rfind('\r');
  return end == std::string_view::npos ? 0 : end + 1;
}

bool CsvReader::next_row() {
  blank_line_ = 0;
  row_begin_ = at_;
  while (at_ != end_ || read_more()) {
    row_begin_ = at_;
    if (*at_ == '#') {
      while (!is_end_of_line(at_)) ++at_;
      comment_.assign(row_begin_ + 1, at_);
    } else {
      at_ = after_blanks(at_);
      row_ended_ = is_end_of_line(at_);
      if (!row_ended_) {
        at_ = row_begin_;
        return true;
      }
      if (blank_line_ == 0) blank_line_ = line_;
    }
    end_line();
  }
  return false;
}

std::optional<double> CsvReader::number() {
  const char* begin = after_blanks(at_);
  // Neither way to read a number takes a plus sign.
  if (begin != end_ && *begin == '+' && begin + 1 != end_ && begin[1] != '-') ++begin;
  double value = 0;
  const char* next = read_number(begin, end_, value);
  if (next == nullptr) return {};
  if (next != end_ && *next == separator_) {  // as after most of them
    number_ = {begin, next};
    at_ = next + 1;
    field_line_ = line_;
    row_ended_ = false;
    return value;
  }
  const char* after = after_blanks(next);
  if (!is_end_of_field(after)) return {};
  number_ = {begin, next};
  at_ = after;
  end_field();
  return value;
}

CsvField CsvReader::field() {
  at_ = after_blanks(at_);
  if (at_ != end_ && *at_ == '"') return quoted_field();
  const char* begin = at_;
  while (!is_end_of_field(at_)) ++at_;
  const CsvField result{trimmed({begin, at_}), {}};
  end_field();
  return result;
}

// At a quote.
CsvField CsvReader::quoted_field() {
  const std::size_t first_line = line_;
  unquoted_.clear();
  for (++at_; at_ != end_ || read_more(); ++at_) {
    const bool is_quote = *at_ == '"';
    const bool is_doubled = is_quote && at_ + 1 != end_ && at_[1] == '"';
    if (is_quote && !is_doubled) break;
    if (is_doubled) ++at_;
    if (*at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] != '\n'))) ++line_;
    unquoted_ += *at_;
  }
  CsvField result{unquoted_, {}};
  if (at_ == end_) result.fault = "has a quote that is never closed";
  if (at_ != end_) at_ = after_blanks(at_ + 1);
  if (!is_end_of_field(at_)) result.fault = "has text after the closing quote";
  while (!is_end_of_field(at_)) ++at_;
  end_field();
  field_line_ = first_line;
  return result;
}

std::string_view CsvReader::row_text() const {
  const std::string_view text(row_begin_, at_);
  return text.substr(0, text.find_last_not_of("\r\n") + 1);
}

std::vector<std::string> CsvReader::comment_fields() const {
  CsvReader reader(comment_, separator_);
  return reader.next_row() ? reader.row() : std::vector<std::string>();
}

bool CsvReader::is_end_of_line(const char* at) const {
  return at == end_ || *at == '\n' || *at == '\r';
}

bool CsvReader::is_end_of_field(const char* at) const {
  return is_end_of_line(at) || *at == separator_;
}

// Blanks are spaces, no-break spaces and, unless they separate fields, tabs.
const char* CsvReader::after_blanks(const char* at) const {
  while (at != end_) {
    if (*at == ' ' || (*at == '\t' && separator_ != '\t')) {
      ++at;
    } else if (*at == '\xc2' && at + 1 != end_ && at[1] == '\xa0') {
      at += 2;
    } else {
      break;
    }
  }
  return at;
}

void CsvReader::end_field() {
  field_line_ = line_;
  row_ended_ = is_end_of_line(at_);
  if (row_ended_) {
    end_line();
  } else {
    ++at_;
  }
}

void CsvReader::end_line() {
  if (at_ == end_) return;
  const bool is_pair = *at_ == '\r' && at_ + 1 != end_ && at_[1] == '\n';
  at_ += is_pair ? 2 : 1;
  ++line_;
}

std::vector<std::string> CsvReader::row() {
  std::vector<std::string> fields;
  bool is_whole = true;
  do {
    const CsvField next = field();
    is_whole = is_whole && next.fault.empty();
    fields.emplace_back(next.text);
  } while (!row_ended_);
  return is_whole ? fields : std::vector<std::string>();
}

std::vector<std::string> CsvReader::filled_row() {
  const auto is_filled = [](const std::string& field) { return !field.empty(); };
  while (next_row()) {
    std::vector<std::string> fields = row();
    if (std::ranges::any_of(fields, is_filled)) return fields;
  }
  return {};
}

std::string csv_quoted(std::string_view field) {
  const bool is_plain = !field.empty() && field.find_first_of(",;\t\"\r\n") == field.npos &&
                        field.front() != ' ' && field.back() != ' ' && field.front() != '#' &&
                        !field.starts_with("\xc2\xa0") && !field.ends_with("\xc2\xa0");
  if (is_plain) return std::string(field);
  std::string text = "\"";
  for (const char c : field) {
    text += c;
    if (c == '"') text += c;
  }
  return text + '"';
}

}  // namespace fjord::apps
