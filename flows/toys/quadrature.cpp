#include "fjord/flows/toys/quadrature.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace fjord::flows {

using std::numbers::pi;
using std::numbers::sqrt2;

std::vector<Node> gauss_legendre(int count) {
  std::vector<Node> nodes;
  for (int i = 0; i < count; ++i) {
    double x = std::cos(pi * (i + 0.75) / (count + 0.5));
    double slope = 1;
    for (int newton = 0; newton < 6; ++newton) {  // doubles the digits each time
      double p = 1;
      double before = 0;
      for (int k = 1; k <= count; ++k) {
        before = std::exchange(p, ((2 * k - 1) * x * p - (k - 1) * before) / k);
      }
      slope = count * (x * p - before) / (x * x - 1);
      x -= p / slope;
    }
    nodes.push_back({x, 2 / ((1 - x * x) * slope * slope)});
  }
  return nodes;
}

double log_normal_mass(double low, double high) {
  if (low + high < 0) low = -std::exchange(high, -low);
  if (low < 0) return std::log((std::erf(high / sqrt2) - std::erf(low / sqrt2)) / 2);
  // exp(-low^2 / 2) times the integral of exp(-low s - s^2 / 2), which ends where it is nothing.
  static const std::vector<Node> nodes = gauss_legendre(28);
  const double half = std::min({high - low, 9.0, 40 / std::max(low, 1.0)}) / 2;
  double sum = 0;
  for (const auto [x, weight] : nodes) {
    const double s = half * (1 + x);
    sum += half * weight * std::exp(-s * (low + s / 2));
  }
  return std::log(sum) - low * low / 2 - std::log(2 * pi) / 2;
}

double plane_entropy(const std::function<double(std::span<const double>)>& log_density,
                     const Rectangle& rectangle, double spacing) {
  double sum = 0;
  for (double x = rectangle.low[0]; x < rectangle.high[0]; x += spacing) {
    for (double y = rectangle.low[1]; y < rectangle.high[1]; y += spacing) {
      const double log_p = log_density(std::array{x, y});
      if (std::isfinite(log_p)) sum -= std::exp(log_p) * log_p;
    }
  }
  return sum * spacing * spacing;
}

}  // namespace fjord::flows
