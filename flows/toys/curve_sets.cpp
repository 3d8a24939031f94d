#include "fjord/flows/toys/curve_sets.hpp"

#include <cmath>
#include <numbers>

#include "fjord/flows/toys/noisy_curve.hpp"

namespace fjord::flows {
namespace {

using std::numbers::pi;

class PlaneCurves final : public ToySet {
 public:
  PlaneCurves(std::string_view name, std::vector<Curve> curves, double noise)
      : name_(name), curves_(std::move(curves), noise) {}

  std::string_view name() const override { return name_; }

  Index dim() const override { return 2; }

  std::optional<double> entropy() const override { return curves_.entropy(); }

  bool has_log_density() const override { return true; }

 protected:
  NumbersPerRow numbers_per_row() const override { return {.uniform = 2, .normal = 2}; }

  void place(std::span<const double> uniform, std::span<const double> normal,
             std::span<double> row) const override {
    const PlanePoint point = curves_.place(uniform, normal);
    row[0] = point[0];
    row[1] = point[1];
  }

  double log_density_at(std::span<const double> point) const override {
    return curves_.log_density({point[0], point[1]});
  }

 private:
  std::string_view name_;
  NoisyCurves curves_;
};

// A curve in the first and the last coordinate, as wide as `width` along the second.
class Sheet final : public ToySet {
 public:
  Sheet(std::string_view name, Curve curve, double width, double noise)
      : name_(name), curve_({std::move(curve)}, noise), width_(width) {}

  std::string_view name() const override { return name_; }

  Index dim() const override { return 3; }

  std::optional<double> entropy() const override { return curve_.entropy() + across_entropy(); }

  bool has_log_density() const override { return true; }

 protected:
  NumbersPerRow numbers_per_row() const override { return {.uniform = 3, .normal = 3}; }

  void place(std::span<const double> uniform, std::span<const double> normal,
             std::span<double> row) const override {
    const PlanePoint point = curve_.place(uniform.first(2), normal.first(2));
    row[0] = point[0];
    row[1] = width_ * uniform[2] + curve_.noise() * normal[2];
    row[2] = point[1];
  }

  double log_density_at(std::span<const double> point) const override {
    return curve_.log_density({point[0], point[2]}) + across_log_density(point[1]);
  }

 private:
  // Of a uniform number in [0, width] plus noise.
  double across_log_density(double y) const {
    const double noise = curve_.noise();
    return log_normal_mass((y - width_) / noise, y / noise) - std::log(width_);
  }

  double across_entropy() const {
    const std::vector<Node> nodes = gauss_legendre(16);
    const double first = -9 * curve_.noise();
    const int panels = static_cast<int>(std::ceil((width_ / 2 - first) / curve_.noise()));
    const double half = (width_ / 2 - first) / panels / 2;
    double sum = 0;  // of one half: the other is its mirror image
    for (int i = 0; i < panels; ++i) {
      for (const auto [x, weight] : nodes) {
        const double log_p = across_log_density(first + half * (2 * i + 1 + x));
        sum -= half * weight * std::exp(log_p) * log_p;
      }
    }
    return 2 * sum;
  }

  std::string_view name_;
  NoisyCurves curve_;
  double width_;
};

Curve circle(double radius) {
  const auto at = [radius](double t) {
    return PlanePoint{radius * std::cos(t), radius * std::sin(t)};
  };
  return {at, 0, 2 * pi, radius, 24};
}

}  // namespace

const ToySet& circles() {
  static const PlaneCurves set("circles", {circle(3), circle(1.5)}, 0.24);
  return set;
}

const ToySet& rings() {
  static const PlaneCurves set("rings", {circle(0.75), circle(1.5), circle(2.25), circle(3)}, 0.08);
  return set;
}

const ToySet& swiss_roll() {
  const auto at = [](double t) { return PlanePoint{t * std::cos(t), t * std::sin(t)}; };
  static const Sheet set("swiss_roll", {at, 1.5 * pi, 4.5 * pi, std::hypot(1, 4.5 * pi), 40}, 21,
                         1);
  return set;
}

const ToySet& s_curve() {
  const auto at = [](double t) {
    return PlanePoint{std::sin(t), std::copysign(1.0, t) * (std::cos(t) - 1)};
  };
  static const Sheet set("s_curve", {at, -1.5 * pi, 1.5 * pi, 1, 36}, 2, 0.1);
  return set;
}

}  // namespace fjord::flows
