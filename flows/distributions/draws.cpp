#include "fjord/flows/distributions/draws.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace fjord::flows {
namespace {

// Tells the keys of draws from those that others fold of the same key: the letters "draw".
constexpr std::uint64_t purpose = 0x64726177;

// A uniform number of the sequence, never 0.
double uniform(const RandomKey& random, std::uint64_t number) {
  double u = 0;
  random.uniform(std::span<double>(&u, 1), number);
  return std::max(u, 0x1p-54);
}

}  // namespace

double draw_log_gamma(double concentration, const RandomKey& random, std::uint64_t number) {
  const RandomKey own = random.fold(purpose).fold(number);
  const bool is_small = concentration < 1;
  // For small ones, gamma(a) is gamma(a + 1) u^(1/a) in distribution.
  const double boost = is_small ? std::log(uniform(own.fold(0), 0)) / concentration : 0;
  const double d = concentration + (is_small ? 1 : 0) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (std::uint64_t attempt = 0;; ++attempt) {
    double z = 0;
    own.normal(std::span<double>(&z, 1), attempt);
    const double root = 1 + c * z;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double log_v = 3 * std::log(root);
    if (std::log(uniform(own, attempt)) < 0.5 * z * z + d * (1 - v + log_v))
      return std::log(d) + log_v + boost;
  }
}

double draw_von_mises(double concentration, const RandomKey& random, std::uint64_t number) {
  const RandomKey own = random.fold(purpose).fold(number);
  const double k = concentration;
  // r is 1 + excess, which is tiny for large k.
  const double tau = 1 + std::sqrt(1 + 4 * k * k);
  const double rho = 2 * k / (tau + std::sqrt(2 * tau));
  const double excess = (1 - rho) * (1 - rho) / (2 * rho);
  for (std::uint64_t attempt = 0;; ++attempt) {
    const double angle = std::numbers::pi * uniform(own, 3 * attempt);
    const double half = std::sin(angle / 2);
    // f = (1 + r z) / (r + z) with z = cos(angle), and 1 - f without cancellation.
    const double below_one =
        2 * half * half * excess / (excess + 2 * std::pow(std::cos(angle / 2), 2));
    const double c = k * (excess + below_one);
    const double u = uniform(own, 3 * attempt + 1);
    if (std::log(c / u) + 1 - c < 0) continue;
    const double size = 2 * std::asin(std::min(1.0, std::sqrt(below_one / 2)));
    return uniform(own, 3 * attempt + 2) < 0.5 ? -size : size;
  }
}

}  // namespace fjord::flows
