#include "fjord/apps/density/data_record.hpp"

#include <algorithm>
#include <bit>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord::apps::density {

std::vector<std::string> notes_on(const Data& data) {
  std::vector<std::string> notes;
  if (data.large != nullptr)
    notes.push_back("the table is read as it is needed: flows are trained on " +
                    std::to_string(training_rows(data)) + " rows, all else on " +
                    std::to_string(data.split.training.size()) + " of them");
  if (data.dropped > 0)
    notes.push_back("left out " + std::to_string(data.dropped) + " rows with missing values");
  std::string rounded;
  for (std::size_t k = 0; k < data.maps.size(); ++k) {
    const std::string name = column_text(data, k);
    if (data.maps[k].shape != ColumnMap::Shape::straight)
      notes.push_back("the column " + name + " " + text_of(data.maps[k]));
    if (data.roundings[k] > 0)
      rounded += (rounded.empty() ? "" : ", ") + name + " to " + number_text(data.roundings[k]);
  }
  if (!rounded.empty())
    notes.push_back(
        "rounded columns, to whose numbers training adds random ones within half a step: " +
        rounded);
  return notes;
}

std::string digest_of(const Data& data) {
  RandomKey digest = RandomKey(0).fold(static_cast<std::uint64_t>(data.rows.given));
  for (const std::string& name : data.names) {
    digest = digest.fold(name.size());
    for (const char letter : name) digest = digest.fold(static_cast<unsigned char>(letter));
  }
  digest = digest.fold(data.rows.weights.size());
  for (const double weight : data.rows.weights)
    digest = digest.fold(std::bit_cast<std::uint64_t>(weight));
  for (const double x : data.rows.values.storage())
    digest = digest.fold(std::bit_cast<std::uint64_t>(x));
  return std::to_string(digest.key());
}

void save_split(const std::string& out, const Data& data) {
  const bool is_large = data.large != nullptr;
  std::vector<std::uint32_t> validation = is_large ? data.large->validation : data.split.validation;
  std::vector<std::uint32_t> test = is_large ? data.large->test : data.split.test;
  std::ranges::sort(validation);
  std::ranges::sort(test);
  const Index rows = is_large ? data.large->rows() : data.rows.values.shape()[0];
  constexpr Index at_once = 1 << 16;
  TableWriter<double> writer(out, 0);
  for (Index first = 0; first < rows; first += at_once) {
    const Index end = std::min(rows, first + at_once);
    Tensor<double> parts = Tensor<double>::zeros({end - first});
    const auto mark = [&](const std::vector<std::uint32_t>& of_part, double number) {
      auto row = std::ranges::lower_bound(of_part, static_cast<std::uint32_t>(first));
      for (; row != of_part.end() && *row < end; ++row) parts(*row - first) = number;
    };
    mark(validation, 1);
    mark(test, 2);
    writer.append(parts);
  }
  writer.close();
}

}  // namespace fjord::apps::density
