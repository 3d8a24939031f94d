#include "fjord/flows/toys/picture.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <doctest/doctest.h>

namespace fjord::flows {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Three columns from -4 to 4, so pixels of side 8/3; two rows from -8/3 to 8/3.
const Tensor<double> pixels{{1, 0, 2}, {0, 4, 1}};

double log_density(const Picture& picture, double x, double y) {
  return picture.log_density(std::array{x, y});
}

TEST_CASE("picture: the density is a pixel's share over its area, the first row on top") {
  const Picture picture("p", pixels);
  const double area = 64.0 / 9;
  CHECK(log_density(picture, -3, 1) == doctest::Approx(std::log(1 / (8 * area))).epsilon(1e-14));
  CHECK(log_density(picture, 3, 2) == doctest::Approx(std::log(2 / (8 * area))).epsilon(1e-14));
  CHECK(log_density(picture, 0, -2) == doctest::Approx(std::log(4 / (8 * area))).epsilon(1e-14));
  for (const auto& [x, y] : {std::pair{0.0, 1.0},
                             {-3.0, -1.0},
                             {-4.1, 1.0},
                             {4.1, -1.0},
                             {0.0, -2.7},
                             {3.0, 2.7},
                             {1e300, 0.0}}) {
    CHECK(log_density(picture, x, y) == -infinity);
  }
}

TEST_CASE("picture: the entropy is that of the pixels' shares plus the logarithm of their area") {
  const double of_shares = -2 * std::log(1 / 8.0) / 8 - std::log(1 / 4.0) / 4 - std::log(0.5) / 2;
  CHECK(Picture("p", pixels).entropy().value() ==
        doctest::Approx(of_shares + std::log(64.0 / 9)).epsilon(1e-14));
  // One grey square is uniform on [-4, 4]^2.
  CHECK(Picture("p", Tensor<double>{{7}}).entropy().value() ==
        doctest::Approx(std::log(64.0)).epsilon(1e-14));
}

TEST_CASE("picture: draws fall into pixels by their shares, and nowhere else") {
  constexpr Index rows = 40'000;
  const Picture picture("p", pixels);
  const Tensor<double> x = picture.draw(rows, RandomKey(1));
  Tensor<double> counts = Tensor<double>::zeros({2, 3});
  double mean = 0;  // of the place within a pixel
  for (Index i = 0; i < rows; ++i) {
    REQUIRE(std::isfinite(log_density(picture, x(i, 0), x(i, 1))));
    const double column = (x(i, 0) + 4) * 3 / 8;
    const double row = (8.0 / 3 - x(i, 1)) * 3 / 8;
    ++counts(static_cast<Index>(row), static_cast<Index>(column));
    mean += (column - std::floor(column) + row - std::floor(row)) / 2 / rows;
  }
  double chi_square = 0;
  for (Index r = 0; r < 2; ++r) {
    for (Index c = 0; c < 3; ++c) {
      const double expected = pixels(r, c) / 8 * rows;
      if (expected > 0) chi_square += std::pow(counts(r, c) - expected, 2) / expected;
    }
  }
  CHECK(chi_square < 3 + 5 * std::sqrt(2 * 3.0));
  CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(1.0 / 24 / rows));
}

TEST_CASE("picture: pixels that make no density are refused") {
  for (const Tensor<double>& wrong :
       {Tensor<double>{1, 2}, Tensor<double>::zeros({2, 2}), Tensor<double>::zeros({0, 3}),
        Tensor<double>{{1, -1}}, Tensor<double>{{infinity, 1}}, Tensor<double>{{std::nan(""), 1}},
        Tensor<double>{{1e308, 1e308}}}) {
    CHECK_THROWS_AS(Picture("p", wrong), std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::flows
