#include "fjord/apps/density/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fjord::apps::density {
namespace {

// 1 / n + 1 / S, or 1 / n.
double inverse_count(const LevelCounts& counts) {
  const double inverse = 1 / static_cast<double>(counts.rows);
  return counts.shared_samples == 0 ? inverse
                                    : inverse + 1 / static_cast<double>(counts.shared_samples);
}

}  // namespace

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
