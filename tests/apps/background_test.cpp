#include "fjord/apps/density/background.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/apps/density/model.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::apps::density {
namespace {

// A quarter N((0, 0), I), the rest N((1, 0), L L^T) with
// L = ((1, 0), (1, 1)).
Background two_normals() {
  Background background;
  background.mixture = {{{0, 0}, {1, 0}}, {{1, 0, 1}, {1, 1, 1}}, {0.25, 0.75}};
  return background;
}

double log_of_two_normals(double u, double v) {
  const double w = v - (u - 1);  // the second number of L^-1
  return std::log(0.25 * std::exp(-(u * u + v * v) / 2) +
                  0.75 * std::exp(-((u - 1) * (u - 1) + w * w) / 2)) -
         std::log(2 * std::numbers::pi);
}

TEST_CASE("background: it is the mixture, and has the signs and units of the columns") {
  // A straight column and a positive one: x = 10 + 2 u, y = exp(-1 + 4 v).
  const std::vector<ColumnMap> maps{
      {.mean = 10, .deviation = 2},
      {.shape = ColumnMap::Shape::positive, .mean = -1, .deviation = 4}};
  const auto background =
      in_table<double>(std::move(parts_of<double>(two_normals()).at(0)), maps, 0);
  const Tensor<double> rows{{10, 1}, {13, 20}, {4, 1e-5}};
  const Tensor<double> found = test::log_prob(*background, rows);
  for (Index i = 0; i < 3; ++i) {
    const double u = (rows(i, 0) - 10) / 2;
    const double v = (std::log(rows(i, 1)) + 1) / 4;
    const double expected = log_of_two_normals(u, v) - std::log(8 * rows(i, 1));
    CHECK(found(i) == doctest::Approx(expected).epsilon(1e-13));
  }
}

TEST_CASE("background: with its share, it is what is left far from the density") {
  Background background = two_normals();
  background.shares = {0.99, 0.01};
  const auto model =
      before_background<double>(std::make_unique<flows::DiagonalNormal<double>>(
                                    std::vector<double>{0, 0}, std::vector<double>{0.1, 0.1}),
                                background);
  const Tensor<double> rows{{0, 0}, {10, 0}};
  const Tensor<double> found = test::log_prob(*model, rows);
  const double density = 0.99 / (2 * std::numbers::pi * 0.01);
  CHECK(found(0) == doctest::Approx(std::log(density + 0.01 * std::exp(log_of_two_normals(0, 0))))
                        .epsilon(1e-13));
  CHECK(found(1) == doctest::Approx(std::log(0.01) + log_of_two_normals(10, 0)).epsilon(1e-13));
}

TEST_CASE("background: far from all parts, the wide one is left") {
  const std::vector<ColumnMap> maps{{}, {.shape = ColumnMap::Shape::positive}};
  Background background;
  background.mixture = with_wide_part({{{0, 0}}, {{0.1, 0, 0.1}}, {1.0}}, maps);
  const Tensor<double> rows{{0, 0}, {30, -12}};
  const Tensor<double> found = test::log_prob(*parts_of<double>(background).at(0), rows);
  const double unit = 2 * std::numbers::pi;
  CHECK(found(0) == doctest::Approx(std::log((99.9 + 0.001 / 30) / unit)).epsilon(1e-13));
  CHECK(found(1) == doctest::Approx(std::log(0.001 / 30 / unit) - 12.5).epsilon(1e-13));
}

TEST_CASE("background: whatever is given, it is wide") {
  const std::vector<ColumnMap> maps{{}, {.shape = ColumnMap::Shape::heavy_tails}};
  const Background background = wide_background(maps);
  CHECK(background.shares == std::vector<double>{0.9999, 0.0001});
  auto parts = parts_of<double>(background);
  REQUIRE(parts.size() == 1);
  const Tensor<double> found = test::log_prob(*parts[0], {{30, -12}});
  CHECK(found(0) == doctest::Approx(-std::log(30 * 2 * std::numbers::pi) - 12.5).epsilon(1e-13));
}

TEST_CASE("background: kernels stand on their rows, each with its weight") {
  Background background = two_normals();
  background.kernels = {{{0, 1}, {2, -1}}, {1, 3}};
  background.width = 0.5;
  auto parts = parts_of<double>(background);
  REQUIRE(parts.size() == 2);
  const Tensor<double> rows{{0, 1}, {0.3, -0.2}};
  const Tensor<double> found = test::log_prob(*parts[1], rows);
  for (Index i = 0; i < 2; ++i) {
    const auto kernel = [&](double u, double v) {
      const double squares = std::pow(rows(i, 0) - u, 2) + std::pow(rows(i, 1) - v, 2);
      return std::exp(-2 * squares) * 2 / std::numbers::pi;
    };
    const double expected = std::log(0.25 * kernel(0, 1) + 0.75 * kernel(2, -1));
    CHECK(found(i) == doctest::Approx(expected).epsilon(1e-13));
  }
  CHECK(parts_of<double>(Background()).empty());
}

void check_shares(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    CHECK(found[k] == doctest::Approx(expected[k]).epsilon(1e-6));
}

TEST_CASE("background: rows that one density alone explains are counted for it") {
  // Six rows by the first, three by the second, one by the third, and half a row for each.
  const double never = -1000;
  const std::vector<Tensor<double>> densities{
      {0, 0, 0, 0, 0, 0, never, never, never, never},
      {never, never, never, never, never, never, -50, -60, -70, never},
      {never, never, never, never, never, never, never, never, never, 5}};
  check_shares(best_shares(densities, std::vector<double>(10, 1.0)),
               {6.5 / 11.5, 3.5 / 11.5, 1.5 / 11.5});
  // With weights, whose unit does not count, the last row is half of all.
  std::vector<double> weights(10, 2.0);
  weights[9] = 18;
  check_shares(best_shares(densities, weights),
               {(6 * 10.0 / 18 + 0.5) / 11.5, (3 * 10.0 / 18 + 0.5) / 11.5, 5.5 / 11.5});
}

TEST_CASE("background: shares are the likeliest of all") {
  const std::vector<Tensor<double>> densities{{0.3, -1.0, 0.2, -2.5, 0.4, 0.1, -0.7},
                                              {-0.5, 0.1, -0.4, -0.3, 0.0, 0.6, -1.5}};
  const std::vector<double> found = best_shares(densities, std::vector<double>(7, 1.0));
  const auto height = [&](double share) {
    double sum = 0.5 * std::log(share) + 0.5 * std::log1p(-share);
    for (Index i = 0; i < 7; ++i)
      sum += std::log(share * std::exp(densities[0](i)) + (1 - share) * std::exp(densities[1](i)));
    return sum;
  };
  double best = 0.001;
  for (double share = 0.001; share < 1; share += 0.001)
    if (height(share) > height(best)) best = share;
  CHECK(std::abs(found[0] - best) < 0.001);
  CHECK(found[0] + found[1] == doctest::Approx(1));
}

TEST_CASE("background: it is the same after a journey as tensors") {
  Background background = two_normals();
  background.kernels = {{{0, 1}, {2, -1}, {7, 8}}, {1, 3, 2}};
  background.width = 0.5;
  background.shares = {0.5, 0.25, 0.25};
  const Background found = background_of(state_of(background));
  CHECK(found.mixture.means == background.mixture.means);
  CHECK(found.mixture.factors == background.mixture.factors);
  CHECK(found.mixture.shares == background.mixture.shares);
  CHECK(found.kernels.values.to_vector() == background.kernels.values.to_vector());
  CHECK(found.kernels.weights == background.kernels.weights);
  CHECK(found.width == background.width);
  CHECK(found.shares == background.shares);
  CHECK(parts_of<double>(background_of(state_of(Background()))).empty());
}

}  // namespace
}  // namespace fjord::apps::density
