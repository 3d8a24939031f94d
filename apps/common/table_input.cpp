#include "fjord/apps/common/table_input.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "fjord/apps/common/file_kind.hpp"
#include "fjord/autodiff/npy.hpp"

namespace fjord::apps {
namespace {

constexpr const char* standard_input = "-";

FileInput input_of(const std::string& file) {
  return file == standard_input ? FileInput::standard() : FileInput(file);
}

// More than the first bytes of any kind.
std::string head_of(FileInput& input) {
  std::string head(4096, '\0');
  std::size_t size = 0;
  for (std::size_t count = 1; count != 0 && size < head.size(); size += count)
    count = input.read(std::span<char>(head).subspan(size));
  head.resize(size);
  return head;
}

}  // namespace

TableInput::TableInput(const std::string& file, std::string_view op)
    : name_(file == standard_input ? "standard input" : file),
      check_(op, name_),
      input_(input_of(file)),
      head_(head_of(input_)),
      is_array_(is_npy(head_) || has_ending(file, ".npy")) {
  const std::string_view foreign = foreign_kind(head_);
  check_(foreign.empty(), foreign);
}

std::string TableInput::bytes() {
  std::string bytes = std::move(head_);
  std::size_t size = bytes.size();
  for (std::size_t count = 1; count != 0; size += count) {
    if (size == bytes.size()) bytes.resize(std::max(input_.size() + 1, 2 * size));
    count = input_.read(std::span<char>(bytes).subspan(size));
  }
  bytes.resize(size);
  return bytes;
}

std::size_t TableInput::read(std::span<char> bytes) {
  if (head_.empty()) return input_.read(bytes);
  const std::size_t count = std::min(head_.size(), bytes.size());
  std::copy_n(head_.begin(), count, bytes.begin());
  head_.erase(0, count);
  return count;
}

TextSource TableInput::text() {
  return [this](std::span<char> bytes) { return read(bytes); };
}

LooseTable loose_array(Tensor<double> values, std::vector<std::string> names) {
  std::vector<ColumnFaults> faults(static_cast<std::size_t>(values.shape()[1]));
  for (Index i = 0; i < values.shape()[0]; ++i) {
    for (Index k = 0; k < values.shape()[1]; ++k) {
      double& value = values(i, k);
      if (std::isfinite(value)) continue;
      ColumnFaults& of_column = faults[static_cast<std::size_t>(k)];
      std::string& fault = std::isnan(value) ? of_column.missing : of_column.other;
      if (fault.empty()) {
        fault = array_fault(static_cast<std::size_t>(i + 1), static_cast<std::size_t>(k + 1), names,
                            value);
      }
      value = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return {{std::move(names), std::move(values)}, std::move(faults)};
}

LooseTable array_in(TableInput input) {
  Tensor<double> values = parse_npy<double>(input.bytes(), input.name());
  input.check()(values.shape().rank() == 2 && values.size() > 0,
                [&] { return table_shape_message(values.shape()); });
  return loose_array(std::move(values), {});
}

void check_array_header(Header header, const FileCheck& check) {
  check(header != Header::yes, "an array has no header; leave out --header yes");
}

}  // namespace fjord::apps
