#include "fjord/apps/density/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace fjord::apps::density {
namespace {

// The number of samples, sorted from dense to rare, that are denser than a row.
double level_in(std::span<const double> sorted, double row) {
  const auto denser = std::ranges::lower_bound(sorted, row, std::greater<>()) - sorted.begin();
  return static_cast<double>(denser) / static_cast<double>(sorted.size() + 1);
}

std::vector<double> sorted_down(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::ranges::sort(sorted, std::greater<>());
  return sorted;
}

// 1 / n + 1 / S, or 1 / n.
double inverse_count(const LevelCounts& counts) {
  const double inverse = 1 / static_cast<double>(counts.rows);
  return counts.shared_samples == 0 ? inverse
                                    : inverse + 1 / static_cast<double>(counts.shared_samples);
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

std::vector<Coverage> coverages(std::span<const double> levels, const LevelCounts& counts) {
  std::vector<Coverage> result;
  for (const double p : {0.5, 0.8, 0.95, 0.99}) {
    // Levels are multiples of 1 / (S + 1), which rounding may move.
    const auto inside = std::ranges::count_if(levels, [&](double u) { return u < p - 1e-9; });
    result.push_back({p, static_cast<double>(inside) / static_cast<double>(levels.size()),
                      std::sqrt(p * (1 - p) * inverse_count(counts))});
  }
  return result;
}

Uniformity uniformity(std::span<const double> levels, Index samples, const LevelCounts& counts) {
  std::vector<double> sorted(levels.begin(), levels.end());
  std::ranges::sort(sorted);
  const auto n = static_cast<double>(sorted.size());
  const double half_step = 0.5 / static_cast<double>(samples + 1);
  Uniformity result;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double u = sorted[i] + half_step;
    const auto before = static_cast<double>(i);
    result.distance = std::max({result.distance, (before + 1) / n - u, u - before / n});
  }
  const double root = std::sqrt(1 / inverse_count(counts));
  result.p_value = kolmogorov_tail((root + 0.12 + 0.11 / root) * result.distance);
  return result;
}

double kolmogorov_tail(double x) {
  if (x <= 0) return 1;
  constexpr double pi = std::numbers::pi;
  double sum = 0;
  if (x < 1) {
    for (int k = 1; k < 20; k += 2) sum += std::exp(-k * k * pi * pi / (8 * x * x));
    return 1 - std::sqrt(2 * pi) / x * sum;
  }
  for (int k = 1, sign = 1; k < 10; ++k, sign = -sign) sum += sign * std::exp(-2.0 * k * k * x * x);
  return 2 * sum;
}

}  // namespace fjord::apps::density
