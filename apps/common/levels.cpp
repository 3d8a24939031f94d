#include "fjord/apps/common/levels.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace fjord::apps {
namespace {

// The number of samples, sorted from dense to rare, that are denser than a row.
double level_in(std::span<const double> sorted, double row) {
  if (row == -HUGE_VAL) return 1;
  const auto denser = std::ranges::lower_bound(sorted, row, std::greater<>()) - sorted.begin();
  return static_cast<double>(denser) / static_cast<double>(sorted.size() + 1);
}

std::vector<double> sorted_down(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::ranges::sort(sorted, std::greater<>());
  return sorted;
}

}  // namespace

std::vector<double> levels_among(std::span<const double> rows, std::span<const double> samples) {
  const std::vector<double> sorted = sorted_down(samples);
  std::vector<double> levels;
  levels.reserve(rows.size());
  for (const double row : rows) levels.push_back(level_in(sorted, row));
  return levels;
}

std::vector<double> levels_among_own(std::span<const double> rows, std::span<const double> samples,
                                     Index samples_a_row) {
  const auto count = static_cast<std::size_t>(samples_a_row);
  std::vector<double> levels;
  levels.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    levels.push_back(level_in(sorted_down(samples.subspan(i * count, count)), rows[i]));
  return levels;
}

}  // namespace fjord::apps
