#include "fjord/flows/toys/gaussians.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "fjord/flows/toys/quadrature.hpp"

namespace fjord::flows {
namespace {

using std::numbers::pi;

constexpr std::size_t components = 8;
constexpr double ring_radius = 4 / 1.414;
constexpr double scale = 0.5 / 1.414;

std::array<double, 2> mean_of(std::size_t component) {
  const double angle = 2 * pi * static_cast<double>(component) / components;
  return {ring_radius * std::cos(angle), ring_radius * std::sin(angle)};
}

class EightGaussians final : public ToySet {
 public:
  std::string_view name() const override { return "eight_gaussians"; }

  Index dim() const override { return 2; }

  std::optional<double> entropy() const override {
    constexpr double reach = ring_radius + 9 * scale;
    return plane_entropy([this](std::span<const double> x) { return log_density_at(x); },
                         {{-reach, -reach}, {reach, reach}}, scale / 4);
  }

  bool has_log_density() const override { return true; }

 protected:
  NumbersPerRow numbers_per_row() const override { return {.uniform = 1, .normal = 2}; }

  void place(std::span<const double> uniform, std::span<const double> normal,
             std::span<double> row) const override {
    const auto mean = mean_of(static_cast<std::size_t>(components * uniform[0]));
    for (std::size_t d = 0; d < 2; ++d) row[d] = mean[d] + scale * normal[d];
  }

  double log_density_at(std::span<const double> point) const override {
    std::array<double, components> energy{};  // half the squared distance in deviations
    for (std::size_t k = 0; k < components; ++k) {
      const auto mean = mean_of(k);
      const double deviations = std::hypot(point[0] - mean[0], point[1] - mean[1]) / scale;
      energy[k] = deviations * deviations / 2;
    }
    const double least = *std::ranges::min_element(energy);
    if (std::isinf(least)) return -least;
    double sum = 0;
    for (const double one : energy) sum += std::exp(least - one);
    return std::log(sum / (components * 2 * pi * scale * scale)) - least;
  }
};

}  // namespace

const ToySet& eight_gaussians() {
  static const EightGaussians set;
  return set;
}

}  // namespace fjord::flows
