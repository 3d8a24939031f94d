#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/flows/toy_sets.hpp"

namespace fjord::flows {
namespace {

using std::numbers::pi;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Index many = 100'000;

// A square of the plane that holds all but nothing of a set, and how finely its density varies.
struct Frame {
  const char* name;
  double centre_x, centre_y;
  double half;     // of the side
  double spacing;  // half/spacing is whole
  double middle;   // of the second of three coordinates, far from both ends
};

constexpr Frame frames[] = {
    {"moons", 0.5, 0.25, 2.4, 0.06, 0}, {"circles", 0, 0, 5.52, 0.24, 0},
    {"rings", 0, 0, 3.84, 0.08, 0},     {"eight_gaussians", 0, 0, 6.4, 0.32, 0},
    {"checkerboard", 0, 0, 5, 0.1, 0},  {"swiss_roll", 0, 0, 24, 1, 10.5},
    {"s_curve", 0, 0, 3, 0.1, 1},
};

// The density in the plane: of the first and the last coordinate where there are three.
double plane_density(const ToySet& set, const Frame& frame, double x, double y) {
  if (set.dim() == 2) return std::exp(set.log_density(std::array{x, y}));
  return std::exp(set.log_density(std::array{x, frame.middle, y})) * 2 * frame.middle;
}

double mean_of(const Tensor<double>& x, Index d, auto f) {
  double sum = 0;
  for (Index i = 0; i < x.shape()[0]; ++i) sum += f(x(i, d));
  return sum / static_cast<double>(x.shape()[0]);
}

TEST_CASE("toy_set: densities integrate to 1") {
  for (const Frame& frame : frames) {
    CAPTURE(frame.name);
    const ToySet& set = toy_set_named(frame.name);
    REQUIRE(set.has_log_density());
    const int half_count = static_cast<int>(std::lround(frame.half / frame.spacing));
    double sum = 0;
    for (int i = -half_count; i < half_count; ++i) {
      for (int k = -half_count; k < half_count; ++k) {
        sum += plane_density(set, frame, frame.centre_x + frame.spacing * (i + 0.5),
                             frame.centre_y + frame.spacing * (k + 0.5));
      }
    }
    CHECK(std::abs(sum * frame.spacing * frame.spacing - 1) < 1e-7);
  }
}

TEST_CASE("toy_set: minus the mean log-density of draws is the entropy") {
  constexpr Index rows = 20'000;
  for (const ToySet* set : toy_sets()) {
    CAPTURE(set->name());
    const std::optional<double> entropy = set->entropy();
    CHECK(entropy.has_value() == set->has_log_density());
    if (!entropy) continue;
    const Tensor<double> x = set->draw(rows, RandomKey(11));
    std::vector<double> point(static_cast<std::size_t>(set->dim()));
    double mean = 0;
    double square = 0;
    for (Index i = 0; i < rows; ++i) {
      for (Index d = 0; d < set->dim(); ++d) point[static_cast<std::size_t>(d)] = x(i, d);
      const double surprise = -set->log_density(point);
      mean += surprise / rows;
      square += surprise * surprise / rows;
    }
    const double error = std::sqrt(std::max(0.0, square - mean * mean) / rows);
    CHECK(std::abs(mean - *entropy) < 5 * error + 1e-6);
  }
}

TEST_CASE("toy_set: entropies are those of sums by numpy on finer grids") {
  struct Case {
    const char* name;
    double entropy;
  };

  // By numpy 2.4.6, with many nodes along the curves and spacings down to an eighth of the noise,
  // and the sheets' widths with scipy 1.17.1; log 32 is exact.
  for (const Case& c :
       {Case{"circles", 3.268135711770}, Case{"rings", 2.623182770310},
        Case{"eight_gaussians", 2.831880406138}, Case{"checkerboard", 3.465735902800},
        Case{"swiss_roll", 9.019063225573}, Case{"s_curve", 2.159904682342}}) {
    CAPTURE(c.name);
    CHECK(std::abs(toy_set_named(c.name).entropy().value() - c.entropy) < 1e-6);
  }
}

TEST_CASE("toy_set: the mean and the mean square of draws are those of the formulas") {
  struct Case {
    const char* name;
    std::vector<double> mean;
    std::vector<double> square;
  };

  const double spiral = 9 * pi * pi / 4;  // the mean of t^2 / 2
  const Case cases[] = {
      {"moons", {0.5, 0.25}, {1 + 0.0036, 0.625 - 1 / pi + 0.0036}},
      {"circles", {0, 0}, {2.8125 + 0.0576, 2.8125 + 0.0576}},
      {"rings", {0, 0}, {2.109375 + 0.0064, 2.109375 + 0.0064}},
      {"eight_gaussians", {0, 0}, {8.25 / 1.999396, 8.25 / 1.999396}},
      {"pinwheel", {0, 0}, {2.2, 2.2}},
      {"two_spirals",
       {0, 0},
       {(spiral + 0.75 + 2 / (3 * pi) + 1.0 / 12) / 9 + 0.01,
        (spiral - 0.75 + 1 - 4 / (9 * pi * pi) + 1.0 / 12) / 9 + 0.01}},
      {"checkerboard", {0, 0}, {16.0 / 3, 16.0 / 3}},
      {"swiss_roll",
       {2, 10.5, 2 / (3 * pi)},
       {4.875 * pi * pi + 0.75, 148, 4.875 * pi * pi + 1.25}},
      {"s_curve", {0, 1, 0}, {0.51, 4.0 / 3 + 0.01, 1.51 + 4 / (3 * pi)}},
      {"line", {0, 0}, {25.0 / 12, 25.0 / 12}},
      {"cosine", {0, 0}, {25.0 / 12, 6.25 * (0.5 - std::sin(5.0) / 10)}},
  };
  REQUIRE(std::size(cases) == toy_sets().size());
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const ToySet& set = toy_set_named(c.name);
    REQUIRE(set.dim() == static_cast<Index>(c.mean.size()));
    const Tensor<double> x = set.draw(many, RandomKey(7));
    REQUIRE(x.shape() == Shape{many, set.dim()});
    for (Index d = 0; d < set.dim(); ++d) {
      CAPTURE(d);
      const std::size_t at = static_cast<std::size_t>(d);
      const double mean = mean_of(x, d, [](double v) { return v; });
      const double square = mean_of(x, d, [](double v) { return v * v; });
      const double fourth = mean_of(x, d, [](double v) { return v * v * v * v; });
      CHECK(std::abs(mean - c.mean[at]) < 5 * std::sqrt(square / many));
      CHECK(std::abs(square - c.square[at]) < 5 * std::sqrt((fourth - square * square) / many));
    }
  }
}

TEST_CASE("toy_set: the histogram of draws is that of the density") {
  constexpr int bins = 10;
  constexpr int parts = 12;  // of a bin's side, so that a sum of middles is its integral
  for (const Frame& frame : frames) {
    CAPTURE(frame.name);
    const ToySet& set = toy_set_named(frame.name);
    const Tensor<double> x = set.draw(many, RandomKey(23));
    const double side = 2 * frame.half / bins;
    std::array<double, std::size_t{bins} * bins> counts{};
    for (Index i = 0; i < many; ++i) {
      const double column = (x(i, 0) - frame.centre_x + frame.half) / side;
      const double row = (x(i, set.dim() - 1) - frame.centre_y + frame.half) / side;
      REQUIRE(std::min(column, row) >= 0);
      REQUIRE(std::max(column, row) < bins);
      ++counts[bins * static_cast<std::size_t>(row) + static_cast<std::size_t>(column)];
    }
    double chi_square = 0;
    int used = -1;
    for (int bin = 0; bin < bins * bins; ++bin) {
      const auto [row, column] = std::div(bin, bins);
      double expected = 0;
      for (int part = 0; part < parts * parts; ++part) {
        const auto [above, right] = std::div(part, parts);
        expected += plane_density(
            set, frame, frame.centre_x - frame.half + side * (column + (right + 0.5) / parts),
            frame.centre_y - frame.half + side * (row + (above + 0.5) / parts));
      }
      expected *= many * side * side / (parts * parts);
      const double count = counts[static_cast<std::size_t>(bin)];
      if (expected < 5) {
        CHECK(count < 30);
        continue;
      }
      chi_square += (count - expected) * (count - expected) / expected;
      ++used;
    }
    CHECK(used >= 10);
    CHECK(chi_square < used + 5 * std::sqrt(2.0 * used));
  }
}

TEST_CASE("toy_set: a row of a draw depends only on the key and on its number") {
  for (const ToySet* set : toy_sets()) {
    CAPTURE(set->name());
    const Tensor<double> all = set->draw(1'000, RandomKey(5));
    const Tensor<double> first = set->draw(7, RandomKey(5));
    const Tensor<double> other = set->draw(7, RandomKey(6));
    for (Index d = 0; d < set->dim(); ++d) {
      for (Index i = 0; i < 7; ++i) {
        CHECK(first(i, d) == all(i, d));
        CHECK(first(i, d) != other(i, d));
      }
    }
    CHECK(set->draw(0, RandomKey(5)).shape() == Shape{0, set->dim()});
  }
}

TEST_CASE("toy_set: the fields of the checkerboard are those where both columns and rows agree") {
  const ToySet& set = checkerboard();
  for (int column = -3; column < 3; ++column) {
    for (int row = -3; row < 3; ++row) {
      const bool on_board = column >= -2 && column < 2 && row >= -2 && row < 2;
      const bool dark = on_board && (column + row) % 2 == 0;
      CHECK(set.log_density(std::array{2 * column + 1.0, 2 * row + 0.5}) ==
            (dark ? -std::log(32.0) : -infinity));
    }
  }
}

TEST_CASE("toy_set: what does not exist is refused") {
  CHECK_THROWS_WITH_AS(toy_set_named("moon"),
                       "[toy_set_named] toy set must be one of moons, circles, rings, "
                       "eight_gaussians, pinwheel, two_spirals, checkerboard, swiss_roll, s_curve, "
                       "line, cosine, got moon",
                       std::invalid_argument);
  const std::array<double, 2> origin{};
  for (const char* name : {"pinwheel", "two_spirals", "line", "cosine"}) {
    CHECK_FALSE(toy_set_named(name).has_log_density());
    CHECK_THROWS_AS(toy_set_named(name).log_density(origin), std::invalid_argument);
  }
  CHECK_THROWS_AS(swiss_roll().log_density(origin), std::invalid_argument);
  CHECK_THROWS_AS(circles().log_density(std::array{0.0, std::nan("")}), std::invalid_argument);
  CHECK_THROWS_AS(circles().log_density(std::array{infinity, 0.0}), std::invalid_argument);
  CHECK_THROWS_AS(circles().draw(-1, RandomKey(1)), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
