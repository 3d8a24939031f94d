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
  const auto background = background_of_table<double>(two_normals(), maps);
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
  background.share = 0.01;
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

TEST_CASE("background: the best share is the one that most rows ask for") {
  // One row in ten is impossible but for the background; the best share is a tenth.
  const std::vector<double> density{0, 0, 0, 0, 0, 0, 0, 0, 0, -1000};
  const std::vector<double> background(10, -100.0);
  CHECK(best_share(density, background, std::vector<double>(10, 1.0)) == 0.1);
  // With weights, that row is half of all.
  std::vector<double> weights(10, 1.0);
  weights[9] = 9;
  CHECK(best_share(density, background, weights) == 0.5);
  CHECK(best_share(std::vector<double>(10, 0.0), background, weights) == Background::least_share);
  // More than a half takes more than six rows of ten: alone, 0.6 would be the best.
  const std::vector<double> divided{5, 5, 5, 5, 5, 5, -5, -5, -5, -5};
  CHECK(best_share(std::vector<double>(10, 0.0), divided, std::vector<double>(10, 1.0)) == 0.5);
  CHECK(best_share(std::vector<double>(10, -300.0), background, weights) == Background::most_share);
}

TEST_CASE("background: a mixture is the same after a journey as tensors") {
  const NormalMixture mixture = two_normals().mixture;
  const NormalMixture found = mixture_of(state_of(mixture));
  CHECK(found.means == mixture.means);
  CHECK(found.factors == mixture.factors);
  CHECK(found.shares == mixture.shares);
  CHECK(mixture_of(state_of(NormalMixture())).shares.empty());
}

}  // namespace
}  // namespace fjord::apps::density
