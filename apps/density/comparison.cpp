#include "fjord/apps/density/comparison.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace fjord::apps::density {

Reached reached(const Tensor<double>& log_density, const std::vector<double>& weights,
                const std::string& model) {
  const std::span<const double> values = log_density.storage();
  double total = 0;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw std::range_error("test row " + std::to_string(i + 1) +
                             " has no finite log-density by " + model +
                             "; leave out rows that are far from all others");
    }
    total += weights[i];
    sum += weights[i] * values[i];
  }
  Reached result{.mean = sum / total};
  if (values.size() < 2) return result;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    squares += std::pow(weights[i] * (values[i] - result.mean), 2);
  const auto n = static_cast<double>(values.size());
  result.standard_error = std::sqrt(squares * n / (n - 1)) / total;
  return result;
}

std::string line_of(const std::string& model, const Reached& reached) {
  // The largest number has 309 digits before the point.
  std::array<char, 320> mean{};
  std::array<char, 320> error{"null"};
  std::snprintf(mean.data(), mean.size(), "%.2f", reached.mean);
  if (reached.standard_error)
    std::snprintf(error.data(), error.size(), "%.2f", *reached.standard_error);
  return model + "  " + mean.data() + " +- " + error.data();
}

}  // namespace fjord::apps::density
