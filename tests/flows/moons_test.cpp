#include "fjord/flows/toys/moons.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include <doctest/doctest.h>

namespace fjord::flows {
namespace {

using std::numbers::e;
using std::numbers::pi;

TEST_CASE("moons: without noise the points lie on the half circles, evenly spaced") {
  const Tensor<double> points = make_moons(7, 0, RandomKey(1));
  const double s = std::sqrt(0.5);
  const double h = std::sqrt(0.75);
  // Three angles for the first moon, four for the second.
  const Tensor<double> expected{{1, 0}, {0, 1}, {-1, 0}, {0, 0.5}, {0.5, 0}, {1.5, 0}, {2, 0.5}};
  REQUIRE(points.shape() == Shape{7, 2});
  for (Index i = 0; i < 7; ++i) {
    CAPTURE(i);
    const double y = i == 4 || i == 5 ? 0.5 - h : expected(i, 1);
    CHECK(points(i, 0) == doctest::Approx(expected(i, 0)).epsilon(1e-14));
    CHECK(std::abs(points(i, 1) - y) < 1e-14);
  }
  CHECK(make_moons(10, 0, RandomKey(1))(1, 0) == doctest::Approx(s).epsilon(1e-14));
  CHECK(make_moons(1, 0, RandomKey(1)).shape() == Shape{1, 2});
}

TEST_CASE("moons: noise is added with its deviation, the same in every coordinate") {
  constexpr Index rows = 20'000;
  const Tensor<double> clean = make_moons(rows, 0, RandomKey(3));
  const Tensor<double> noisy = make_moons(rows, 0.25, RandomKey(3));
  for (Index d = 0; d < 2; ++d) {
    double mean = 0;
    double square = 0;
    for (Index i = 0; i < rows; ++i) {
      const double u = (noisy(i, d) - clean(i, d)) / 0.25;
      mean += u / rows;
      square += u * u / rows;
    }
    CHECK(std::abs(mean) < 4.5 / std::sqrt(rows));
    CHECK(std::abs(square - 1) < 4.5 * std::sqrt(2.0 / rows));
  }
  CHECK(make_moons(100, 0.25, RandomKey(3)) == make_moons(100, 0.25, RandomKey(3)));
  CHECK_FALSE(make_moons(100, 0.25, RandomKey(3)) == make_moons(100, 0.25, RandomKey(4)));
}

TEST_CASE("moons: independent points have the moons' mean and spread") {
  constexpr Index rows = 40'000;
  const Tensor<double> points = Moons(0).draw(rows, RandomKey(5));
  double x = 0;
  double y = 0;
  double first = 0;
  for (Index i = 0; i < rows; ++i) {
    x += points(i, 0) / rows;
    y += points(i, 1) / rows;
    const double to_first = std::hypot(points(i, 0), points(i, 1));
    const double to_second = std::hypot(points(i, 0) - 1, points(i, 1) - 0.5);
    const bool on_first = std::abs(to_first - 1) < 1e-12 && points(i, 1) >= 0;
    const bool on_second = std::abs(to_second - 1) < 1e-12 && points(i, 1) <= 0.5;
    REQUIRE((on_first || on_second));
    first += on_first ? 1.0 / rows : 0;
  }
  // Means over the angle: of cos 0 and of sin 2/pi. The deviations are below 1 in x and 0.5 in y.
  CHECK(std::abs(x - 0.5) < 4.5 / std::sqrt(rows));
  CHECK(std::abs(y - 0.25) < 4.5 * 0.5 / std::sqrt(rows));
  CHECK(std::abs(first - 0.5) < 4.5 * 0.5 / std::sqrt(rows));
}

TEST_CASE("moons: the entropy is that of independent quadratures and of its limits") {
  struct Case {
    double noise;
    double entropy;
    double error;
  };

  // The numbers come from a sum over a grid of the plane with a spacing of noise / 5.
  const double small = std::log(2 * pi) + std::log(2 * pi * e) / 2;  // a line of length 2 pi
  const double large = std::log(2 * pi * e);                         // one normal distribution
  const Case cases[] = {{0.03, -0.2327117784, 1e-7},
                        {0.06, 0.4770460871, 1e-7},
                        {0.2, 1.6774761561, 5e-6},
                        {0.5, 2.4133673274, 1e-6},
                        {1, 3.2164197742, 1e-6},
                        {5, 6.0763636217, 1e-6},
                        {1e-7, small + std::log(1e-7), 1e-6},
                        {1e-200, small + std::log(1e-200), 1e-6},
                        {1e6, large + 2 * std::log(1e6), 1e-6}};
  for (const Case& c : cases) {
    CAPTURE(c.noise);
    CHECK(std::abs(Moons(c.noise).entropy().value() - c.entropy) < c.error);
  }
  CHECK_FALSE(Moons(0).entropy().has_value());
}

TEST_CASE("moons: the log-density is a sum over angles, and refused where the noise drowns") {
  const double noise = 0.1;
  const Moons moons(noise);
  for (const auto& [x, y] : {std::array{0.0, 1.0}, {1.0, 0.1}, {0.5, 0.25}, {-1.2, -0.2}}) {
    // A trapezoidal rule with 4e5 angles on each moon.
    double sum = 0;
    constexpr int count = 400'000;
    for (int i = 0; i <= count; ++i) {
      const double angle = pi * i / count;
      const double first = std::hypot(x - std::cos(angle), y - std::sin(angle)) / noise;
      const double second = std::hypot(x - 1 + std::cos(angle), y - 0.5 + std::sin(angle)) / noise;
      const double weight = i == 0 || i == count ? 0.5 : 1;
      sum += weight * (std::exp(-first * first / 2) + std::exp(-second * second / 2)) / 2 / count;
    }
    const double expected = std::log(sum / (2 * pi * noise * noise));
    CHECK(std::abs(moons.log_density(std::array{x, y}) - expected) < 1e-8);
  }
  CHECK_FALSE(Moons(1e-7).has_log_density());
  CHECK_THROWS_AS(Moons(0).log_density(std::array{0.0, 1.0}), std::invalid_argument);
  CHECK_THROWS_AS(Moons(-1), std::invalid_argument);
  CHECK_THROWS_AS(Moons(std::nan("")), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
