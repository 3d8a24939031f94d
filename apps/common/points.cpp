#include "fjord/apps/common/points.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"

namespace fjord::apps {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t comma = line.find(',');
    fields.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Also what is too large or too small for a double, as infinity or zero.
std::optional<double> number_in(std::string_view field) {
  if (field.starts_with('+') && !field.starts_with("+-")) field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error == std::errc::invalid_argument || end != field.data() + field.size()) return {};
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(field).c_str(), nullptr);
  return value;
}

std::string place(const char* unit, std::size_t line, std::size_t column) {
  return std::string(unit) + " " + std::to_string(line) + ", column " + std::to_string(column) +
         ": ";
}

/// Reads text line by line.
class CsvReader final {
 public:
  explicit CsvReader(const std::string& file) : check_("--data", file) {}

  Tensor<double> read(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      read_line(trimmed(text.substr(0, std::min(end, text.find('#')))));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    check_(!values_.empty(), "there are no rows of numbers in it");
    const auto rows = static_cast<Index>(values_.size() / columns_);
    return Tensor<double>::from({rows, static_cast<Index>(columns_)}, values_);
  }

 private:
  void read_line(std::string_view line) {
    if (line.empty()) return;
    const std::vector<std::string_view> fields = fields_of(line);
    const bool is_first = std::exchange(is_first_, false);
    if (is_first) columns_ = fields.size();
    if (is_first && std::ranges::none_of(fields, [](auto f) { return number_in(f).has_value(); })) {
      return;
    }
    for (std::size_t i = 0; i < std::min(fields.size(), columns_); ++i) {
      const std::optional<double> value = number_in(fields[i]);
      check_(value && std::isfinite(*value), [&] {
        return place("line", line_, i + 1) + "a finite number is needed, got \"" +
               printable(fields[i], 30) + "\"; fields are parted by commas";
      });
      values_.push_back(*value);
    }
    check_(fields.size() == columns_, [&] {
      return place("line", line_, std::min(fields.size(), columns_) + 1) + "the row has " +
             std::to_string(fields.size()) + " fields, and the first line has " +
             std::to_string(columns_);
    });
  }

  FileCheck check_;
  std::size_t line_ = 0;
  bool is_first_ = true;
  std::size_t columns_ = 0;
  std::vector<double> values_;
};

void check_npy(const Tensor<double>& points, const std::string& file) {
  const FileCheck check("--data", file);
  check(points.shape().rank() == 2 && points.size() > 0, [&] {
    return "an array [rows, columns] is needed, got one of shape " + to_string(points.shape());
  });
  for (Index i = 0; i < points.shape()[0]; ++i) {
    for (Index k = 0; k < points.shape()[1]; ++k) {
      check(std::isfinite(points(i, k)), [&] {
        return place("row", static_cast<std::size_t>(i + 1), static_cast<std::size_t>(k + 1)) +
               "a finite number is needed, got " + std::to_string(points(i, k));
      });
    }
  }
}

template <class T>
std::string csv_text(const Tensor<T>& points) {
  const std::vector<T> values = points.to_vector();
  const auto columns = points.shape().rank() == 2 ? static_cast<std::size_t>(points.shape()[1]) : 1;
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += number_text(values[i]);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  return text;
}

}  // namespace

Tensor<double> load_points(const std::string& file) {
  const std::string bytes = read_file(file);
  const bool is_npy = file.ends_with(".npy") || bytes.starts_with("\x93NUMPY");
  if (!is_npy) return CsvReader(file).read(bytes);
  const Tensor<double> points = parse_npy<double>(bytes, file);
  check_npy(points, file);
  return points;
}

template <class T>
Tensor<T> points_as(const Tensor<double>& points, const FileCheck& check) {
  Tensor<T> result = points.as<T>();
  for (Index i = 0; i < points.shape()[0]; ++i) {
    for (Index k = 0; k < points.shape()[1]; ++k) {
      check(std::isfinite(result(i, k)), [&] {
        return place("row", static_cast<std::size_t>(i + 1), static_cast<std::size_t>(k + 1)) +
               number_text(points(i, k)) +
               " is beyond the numbers of this precision; compute in double";
      });
    }
  }
  return result;
}

template Tensor<float> points_as(const Tensor<double>&, const FileCheck&);
template Tensor<double> points_as(const Tensor<double>&, const FileCheck&);

template <class T>
void save_points(const std::string& file, const Tensor<T>& points) {
  if (file.ends_with(".csv")) {
    write_file(file, csv_text(points));
  } else {
    save_npy(file, points);
  }
}

template void save_points(const std::string&, const Tensor<float>&);
template void save_points(const std::string&, const Tensor<double>&);

}  // namespace fjord::apps
