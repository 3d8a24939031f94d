#include "fjord/apps/common/cell.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "fjord/apps/common/message.hpp"

namespace fjord::apps {
namespace {

constexpr std::string_view no_break_space = "\xc2\xa0";
constexpr std::string_view minus_sign = "\xe2\x88\x92";  // U+2212
constexpr std::array<std::string_view, 7> missing_values = {"",     "NA", "N/A", "null",
                                                            "None", "?",  "-"};

// The number that the whole text is, infinities, NaN and numbers beyond double included.
std::optional<Cell> number_in(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument || next != end) return {};
  if (error == std::errc::result_out_of_range) {
    // strtod() tells a number that is too large, infinity, from one that is too small, zero.
    value = std::strtod(text.c_str(), nullptr);
    if (std::isinf(value)) return Cell{Cell::Kind::beyond, value};
  }
  if (std::isnan(value)) return Cell{Cell::Kind::missing, value};
  if (std::isinf(value)) return Cell{Cell::Kind::infinite, value};
  const bool is_whole = text.find_first_of(".eE") == std::string::npos;
  return Cell{is_whole ? Cell::Kind::whole : Cell::Kind::fraction, value};
}

bool is_number(std::string_view text) {
  return cell_of(text).is_number();
}

// 1,5 and 1,234.5: digits with commas between them.
bool has_comma_in_number(std::string_view text) {
  if (text.find(',') == std::string_view::npos) return false;
  std::string without(text);
  std::erase(without, ',');
  return is_number(without) && text.front() != ',' && text.back() != ',';
}

bool is_percentage(std::string_view text) {
  return text.ends_with('%') && is_number(text.substr(0, text.size() - 1));
}

// 1 2 or 1|2: a row whose separator is not one that is read.
bool is_several_numbers(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" |"), text.size());
    if (end > 0 && !is_number(text.substr(0, end))) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

std::string advice_on(std::string_view text) {
  if (has_comma_in_number(text)) {
    return "; write numbers with a decimal point and without commas";
  }
  if (is_percentage(text)) return "; write a percentage as a fraction, as 0.5 for 50%";
  if (is_several_numbers(text)) return "; separate fields by commas, tabs or semicolons";
  return "";
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (true) {
    if (text.starts_with(' ') || text.starts_with('\t')) {
      text.remove_prefix(1);
    } else if (text.starts_with(no_break_space)) {
      text.remove_prefix(no_break_space.size());
    } else if (text.ends_with(' ') || text.ends_with('\t')) {
      text.remove_suffix(1);
    } else if (text.ends_with(no_break_space)) {
      text.remove_suffix(no_break_space.size());
    } else {
      return text;
    }
  }
}

Cell cell_of(std::string_view field) {
  const std::string_view text = trimmed(field);
  if (std::ranges::find(missing_values, text) != missing_values.end()) {
    return {Cell::Kind::missing};
  }
  std::string number(text);
  if (text.starts_with(minus_sign)) number.replace(0, minus_sign.size(), "-");
  if (number.starts_with('+') && !number.starts_with("+-")) number.erase(0, 1);
  return number_in(number).value_or(Cell{Cell::Kind::text});
}

std::string refusal_of(const Cell& cell, std::string_view field) {
  const std::string got = "got \"" + shown(field) + '"';
  switch (cell.kind) {
    case Cell::Kind::missing:
      return "a number is needed, but the value is missing: " +
             (trimmed(field).empty() ? "the field is empty" : got) +
             "; fill it in, or leave out the row";
    case Cell::Kind::infinite: return "a finite number is needed, " + got;
    case Cell::Kind::beyond:
      return "a number within the range of double precision is needed, " + got;
    default: return "a number is needed, " + got + advice_on(trimmed(field));
  }
}

}  // namespace fjord::apps
