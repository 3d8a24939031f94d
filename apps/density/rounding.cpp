#include "fjord/apps/density/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fjord::apps::density {
namespace {

// Up to what decimal fractions lose as they are read.
bool are_multiples(std::span<const double> numbers, double step) {
  return std::ranges::all_of(numbers, [&](double x) {
    const double steps = x / step;
    const double whole = std::round(steps);
    return x == 0 || (whole != 0 && std::abs(steps) < 1e9 && std::abs(steps - whole) < 1e-6);
  });
}

}  // namespace

double rounding_of(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::ranges::sort(sorted);
  const auto different = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
  if (2 * static_cast<std::size_t>(different) >= numbers.size()) return 0;
  for (int exponent = 6; exponent >= -9; --exponent) {
    const double step = std::pow(10.0, exponent);
    if (are_multiples(numbers, step)) return step;
  }
  return 0;
}

}  // namespace fjord::apps::density
