#include "fjord/flows/toys/moons.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {
namespace {

using std::numbers::pi;

PlanePoint first_moon(double angle) {
  return {std::cos(angle), std::sin(angle)};
}

PlanePoint second_moon(double angle) {
  return {1 - std::cos(angle), 0.5 - std::sin(angle)};
}

// How many deviations of the noise a quadrature reaches to either side.
constexpr double reach = 8.5;

// The density of one moon times 2 pi noise^2 at a point `outside` its circle, seen from its centre
// at this angle. Nothing cancels, however small the noise.
double moon_density(double outside, double angle, double noise) {
  static const std::vector<Node> nodes = gauss_legendre(28);
  // The moon's angles seen from the point's, the shorter way round.
  const double first = -angle + 2 * pi * std::floor((angle + pi / 2) / (2 * pi));
  const double last = first + pi;
  // Around the nearest angle of the moon.
  const double window = reach * noise / std::sqrt(1 + outside);
  const double low = std::max(first, std::min(last, 0.0) - window);
  const double high = std::min(last, std::max(first, 0.0) + window);
  const double across = outside / noise;
  double sum = 0;
  for (const auto [x, weight] : nodes) {
    const double turn = (low + high) / 2 + (high - low) / 2 * x;
    const double along = 2 * std::sin(turn / 2) / noise;
    sum += weight * std::exp(-(across * across + (1 + outside) * along * along) / 2);
  }
  return sum * (high - low) / 2 / pi;
}

// The same for the other moon, which the reflection at (1/2, 1/4) makes the first.
double other_moon_density(double x, double y, double noise) {
  const double outside = std::hypot(1 - x, 0.5 - y) - 1;
  if (std::abs(outside) > 2 * reach * noise) return 0;
  return moon_density(outside, std::atan2(0.5 - y, 1 - x), noise);
}

// -E log(density) over the noise, in steps along the first moon and across it at this angle.
double entropy_at(double angle, double noise) {
  constexpr double spacing = 0.7;  // in deviations
  constexpr int points = static_cast<int>(reach / spacing);
  double sum = 0;
  for (int i = -points; i <= points; ++i) {
    for (int k = -points; k <= points; ++k) {
      if (i * i + k * k > points * points) continue;
      const double u = noise * spacing * i;
      const double v = noise * spacing * k;
      const double radius = std::hypot(1 + u, v);
      const double outside = (2 * u + u * u + v * v) / (radius + 1);
      const double turn = std::atan2(v, 1 + u);
      const double own = moon_density(outside, angle + turn, noise);
      const double other = other_moon_density(radius * std::cos(angle + turn),
                                              radius * std::sin(angle + turn), noise);
      const double weight = std::exp(-spacing * spacing * (i * i + k * k) / 2);
      sum -= weight * std::log((own + other) / 2);
    }
  }
  return sum * spacing * spacing / (2 * pi) + std::log(2 * pi) + 2 * std::log(noise);
}

}  // namespace

Tensor<double> make_moons(Index points, double noise, const RandomKey& random) {
  Tensor<double> result = Tensor<double>::zeros({points, 2});
  std::vector<double> normal(static_cast<std::size_t>(result.size()));
  random.normal<double>(normal);
  const double* next = normal.data();
  const Index first = points / 2;
  for (Index i = 0; i < points; ++i) {
    const bool second = i >= first;
    const Index count = second ? points - first : first;
    const Index at = second ? i - first : i;
    const double angle =
        pi * static_cast<double>(at) / std::max(1.0, static_cast<double>(count - 1));
    const PlanePoint point = second ? second_moon(angle) : first_moon(angle);
    for (Index d = 0; d < 2; ++d) {
      result(i, d) = point[static_cast<std::size_t>(d)] + noise * *next++;
    }
  }
  return result;
}

Moons::Moons(double noise)
    : curves_({{second_moon, 0, pi, 1, 12}, {first_moon, 0, pi, 1, 12}}, noise) {
  require(noise >= 0 && std::isfinite(noise), "Moons",
          [&] { return "noise must be finite and >= 0, got " + std::to_string(noise); });
}

void Moons::place(std::span<const double> uniform, std::span<const double> normal,
                  std::span<double> row) const {
  std::ranges::copy(curves_.place(uniform, normal), row.begin());
}

double Moons::log_density_at(std::span<const double> point) const {
  return curves_.log_density({point[0], point[1]});
}

std::optional<double> Moons::entropy() const {
  const double noise = curves_.noise();
  if (noise == 0) return std::nullopt;
  // By symmetry both moons contribute the same. At the ends of the first, the density changes
  // within a few deviations of the noise.
  const std::vector<Node> nodes = gauss_legendre(16);
  const double end = std::min(2 * reach * noise, pi / 3);
  const std::vector<double> edges{0, end, pi - end, pi};
  double sum = 0;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const double half = (edges[i + 1] - edges[i]) / 2;
    for (const auto [x, weight] : nodes) {
      sum += half * weight * entropy_at(edges[i] + half * (1 + x), noise);
    }
  }
  return sum / pi;
}

}  // namespace fjord::flows
