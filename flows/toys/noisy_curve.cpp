#include "fjord/flows/toys/noisy_curve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace fjord::flows {
namespace {

using std::numbers::pi;

constexpr double infinity = std::numeric_limits<double>::infinity();

// What has this much more energy than the nearest point adds less than rounding.
constexpr double negligible = 35;

// Of such an energy, all that a log-density has besides is less than 1e-11.
constexpr double far = 1e13;

// About the least f(t) for t in [low, high], by sections in the golden ratio.
template <class F>
double least_in(double low, double high, const F& f) {
  constexpr double ratio = 1 / std::numbers::phi;
  double a = high - ratio * (high - low);
  double b = low + ratio * (high - low);
  double f_a = f(a);
  double f_b = f(b);
  for (int section = 0; section < 24; ++section) {  // to 1e-5 of the interval
    if (f_a < f_b) {
      high = b;
      b = a;
      f_b = f_a;
      f_a = f(a = high - ratio * (high - low));
    } else {
      low = a;
      a = b;
      f_a = f_b;
      f_b = f(b = low + ratio * (high - low));
    }
  }
  return std::min(f_a, f_b);
}

}  // namespace

// The sum of weight * exp(-energy), times exp(least), so that it neither over- nor underflows.
struct NoisyCurves::Sum {
  PlanePoint point;
  double least;
  double scaled = 0;

  void lower(double energy) {
    if (energy >= least) return;
    scaled *= std::exp(energy - least);
    least = energy;
  }

  void add(double weight, double energy) {
    lower(energy);
    scaled += weight * std::exp(least - energy);
  }
};

NoisyCurves::NoisyCurves(std::vector<Curve> curves, double noise)
    : curves_(std::move(curves)), noise_(noise) {
  for (const Curve& curve : curves_) {
    const double width = (curve.high - curve.low) / curve.panels;
    for (int i = 0; i < curve.panels; ++i) {
      const double low = curve.low + i * width;
      panels_.push_back({&curve, low, low + width, curve.at(low + width / 2)});
    }
  }
}

PlanePoint NoisyCurves::place(std::span<const double> uniform,
                              std::span<const double> normal) const {
  const std::size_t count = curves_.size();
  const auto drawn = static_cast<std::size_t>(uniform[0] * static_cast<double>(count));
  const Curve& curve = curves_[std::min(drawn, count - 1)];  // the product may be rounded up
  const PlanePoint point = curve.at(curve.low + (curve.high - curve.low) * uniform[1]);
  return {point[0] + noise_ * normal[0], point[1] + noise_ * normal[1]};
}

double NoisyCurves::energy(PlanePoint at, PlanePoint point) const {
  const double x = (point[0] - at[0]) / noise_;
  const double y = (point[1] - at[1]) / noise_;
  return (x * x + y * y) / 2;
}

double NoisyCurves::energy_at(const Curve& curve, double t, PlanePoint point) const {
  return energy(curve.at(t), point);
}

double NoisyCurves::bound(const Curve& curve, double width, double at_middle) const {
  const double deviations = std::sqrt(2 * at_middle) - curve.speed * width / 2 / noise_;
  return deviations > 0 ? deviations * deviations / 2 : 0;
}

double NoisyCurves::least_energy(PlanePoint point) const {
  double least = infinity;
  for (const Panel& panel : panels_) {
    const Curve& curve = *panel.curve;
    const double at_middle = energy(panel.middle, point);
    const double below = bound(curve, panel.high - panel.low, at_middle);
    if (below > least) continue;
    least = std::min({least, at_middle, energy_at(curve, panel.low, point),
                      energy_at(curve, panel.high, point)});
    if (least - below < negligible) continue;
    const auto along = [&](double t) { return energy_at(curve, t, point); };
    least = std::min(least, least_in(panel.low, panel.high, along));
  }
  return least;
}

// Halves the interval until the energy changes so little that one rule integrates its exponential.
void NoisyCurves::add(const Curve& curve, double low, double high, Sum& sum) const {
  static const std::vector<Node> nodes = gauss_legendre(16);
  const double middle = (low + high) / 2;
  const double half = (high - low) / 2;
  const double at_middle = energy_at(curve, middle, sum.point);
  if (bound(curve, 2 * half, at_middle) > sum.least + negligible) return;
  const double at_low = energy_at(curve, low, sum.point);
  const double at_high = energy_at(curve, high, sum.point);
  const bool smooth =
      std::abs(at_high - at_low) < 10 && std::abs(at_low + at_high - 2 * at_middle) < 8;
  if (!smooth && low < middle && middle < high) {
    add(curve, low, middle, sum);
    add(curve, middle, high, sum);
    return;
  }
  for (const auto [x, weight] : nodes) {
    sum.add(weight * half / (curve.high - curve.low),
            energy_at(curve, middle + half * x, sum.point));
  }
}

double NoisyCurves::log_density(PlanePoint point) const {
  Sum sum{point, least_energy(point)};
  if (sum.least > far) return -sum.least;
  for (const Panel& panel : panels_) {
    const double below = bound(*panel.curve, panel.high - panel.low, energy(panel.middle, point));
    if (below < sum.least + negligible) add(*panel.curve, panel.low, panel.high, sum);
  }
  const double share = 1 / static_cast<double>(curves_.size());
  return std::log(sum.scaled) - sum.least + std::log(share / (2 * pi)) - 2 * std::log(noise_);
}

double NoisyCurves::entropy() const {
  Rectangle around{{infinity, infinity}, {-infinity, -infinity}};
  for (const Panel& panel : panels_) {
    const double margin = panel.curve->speed * (panel.high - panel.low) / 2 + 9 * noise_;
    for (std::size_t d = 0; d < 2; ++d) {
      around.low[d] = std::min(around.low[d], panel.middle[d] - margin);
      around.high[d] = std::max(around.high[d], panel.middle[d] + margin);
    }
  }
  const auto log_density_of = [this](std::span<const double> at) {
    return log_density({at[0], at[1]});
  };
  return plane_entropy(log_density_of, around, noise_ / 2);
}

}  // namespace fjord::flows
