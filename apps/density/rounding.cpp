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

// The different numbers, sorted, if they are less than half of all; otherwise none.
std::vector<double> repeated_numbers(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (2 * sorted.size() >= numbers.size()) sorted.clear();
  return sorted;
}

}  // namespace

double rounding_of(std::span<const double> numbers) {
  if (repeated_numbers(numbers).empty()) return 0;
  for (int exponent = 6; exponent >= -9; --exponent) {
    const double step = std::pow(10.0, exponent);
    if (are_multiples(numbers, step)) return step;
  }
  return 0;
}

double step_of(std::span<const double> numbers) {
  const std::vector<double> different = repeated_numbers(numbers);
  double step = 0;
  for (std::size_t i = 1; i < different.size(); ++i) {
    const double apart = different[i] - different[i - 1];
    const bool is_error = apart < 1e-9 * (different.back() - different.front());
    if (!is_error && (step == 0 || apart < step)) step = apart;
  }
  return step;
}

}  // namespace fjord::apps::density
