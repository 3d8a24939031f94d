#include "fjord/flows/toys/shapes.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {
namespace {

using std::numbers::pi;

using Numbers = std::span<const double>;

void place_pinwheel(Numbers uniform, Numbers normal, std::span<double> row) {
  const double along = 1 + 0.3 * normal[0];
  const double across = 0.1 * normal[1];
  const double angle = 2 * pi / 5 * std::floor(5 * uniform[0]) + 0.25 * std::exp(along);
  row[0] = 2 * (along * std::cos(angle) + across * std::sin(angle));
  row[1] = 2 * (across * std::cos(angle) - along * std::sin(angle));
}

void place_spiral(Numbers uniform, Numbers normal, std::span<double> row) {
  const double side = uniform[0] < 0.5 ? 1.0 : -1.0;
  const double t = 3 * pi * std::sqrt(uniform[1]);
  row[0] = side * (0.5 * uniform[2] - t * std::cos(t)) / 3 + 0.1 * normal[0];
  row[1] = side * (0.5 * uniform[3] + t * std::sin(t)) / 3 + 0.1 * normal[1];
}

void place_line(Numbers uniform, Numbers, std::span<double> row) {
  row[0] = row[1] = 5 * uniform[0] - 2.5;
}

void place_cosine(Numbers uniform, Numbers, std::span<double> row) {
  row[0] = 5 * uniform[0] - 2.5;
  row[1] = 2.5 * std::sin(row[0]);
}

// Points of the plane by a formula, and nothing known of their density.
class Formula final : public ToySet {
 public:
  using Rule = void(Numbers, Numbers, std::span<double>);

  Formula(std::string_view name, NumbersPerRow numbers, Rule* rule)
      : name_(name), numbers_(numbers), rule_(rule) {}

  std::string_view name() const override { return name_; }

  Index dim() const override { return 2; }

  std::optional<double> entropy() const override { return std::nullopt; }

  bool has_log_density() const override { return false; }

 protected:
  NumbersPerRow numbers_per_row() const override { return numbers_; }

  void place(Numbers uniform, Numbers normal, std::span<double> row) const override {
    rule_(uniform, normal, row);
  }

  double log_density_at(std::span<const double>) const override {
    fail("log_density", "the density is not known");
  }

 private:
  std::string_view name_;
  NumbersPerRow numbers_;
  Rule* rule_;
};

// Of the columns that are 1 wide, every other is moved up by 1.
double shift_of(double x) {
  return std::abs(std::fmod(std::floor(x), 2.0));
}

class Checkerboard final : public ToySet {
 public:
  std::string_view name() const override { return "checkerboard"; }

  Index dim() const override { return 2; }

  std::optional<double> entropy() const override { return std::log(32.0); }

  bool has_log_density() const override { return true; }

 protected:
  NumbersPerRow numbers_per_row() const override { return {.uniform = 3}; }

  void place(Numbers uniform, Numbers, std::span<double> row) const override {
    const double x = 4 * uniform[0] - 2;
    row[0] = 2 * x;
    row[1] = 2 * (uniform[1] - (uniform[2] < 0.5 ? 0 : 2) + shift_of(x));
  }

  double log_density_at(std::span<const double> point) const override {
    const double x = point[0] / 2;
    const double field = std::floor(point[1] / 2 - shift_of(x));
    const bool inside = x >= -2 && x < 2 && (field == 0 || field == -2);
    return inside ? -std::log(32.0) : -std::numeric_limits<double>::infinity();
  }
};

}  // namespace

const ToySet& pinwheel() {
  static const Formula set("pinwheel", {.uniform = 1, .normal = 2}, place_pinwheel);
  return set;
}

const ToySet& two_spirals() {
  static const Formula set("two_spirals", {.uniform = 4, .normal = 2}, place_spiral);
  return set;
}

const ToySet& checkerboard() {
  static const Checkerboard set;
  return set;
}

const ToySet& line() {
  static const Formula set("line", {.uniform = 1}, place_line);
  return set;
}

const ToySet& cosine() {
  static const Formula set("cosine", {.uniform = 1}, place_cosine);
  return set;
}

}  // namespace fjord::flows
