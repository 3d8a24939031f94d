#include "fjord/flows/linear_maps.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/flows/affine.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::worst_difference;

// After an affine map: alone, a rotation does not change the density of N(0, I).
template <Index reflections>
std::unique_ptr<Bijector<double>> rotated(const RandomKey& key) {
  std::vector<std::unique_ptr<Bijector<double>>> parts;
  parts.push_back(std::make_unique<Affine<double>>(4));
  parts.push_back(std::make_unique<Householder<double>>(4, reflections, key));
  return std::make_unique<Chain<double>>(std::move(parts));
}

Tensor<double> forward(const Bijector<double>& map, const Tensor<double>& x) {
  Tape<double> tape;
  Context<double> context;
  return Tensor<double>(map.forward(tape.input(x), context).value());
}

TEST_CASE("linear_maps: every route, company, precision and the file agree") {
  test::check_bijector({.name = "one reflection", .make = rotated<1>, .x = normals({3, 4}, 1)});
  test::check_bijector({.name = "three", .make = rotated<3>, .x = normals({3, 4}, 2)});
  test::check_bijector({.name = "more than columns", .make = rotated<6>, .x = normals({3, 4}, 3)});
  test::check_bijector(
      {.name = "L U",
       .make = [](const RandomKey& key) { return std::make_unique<LuLinear<double>>(4, key); },
       .x = normals({3, 4}, 4)});
  test::check_bijector(
      {.name = "triangular",
       .make = [](const RandomKey&) { return std::make_unique<Triangular<double>>(4); },
       .x = normals({3, 4}, 5)});
}

TEST_CASE("linear_maps: reflections follow one another as if each was applied by itself") {
  Householder<double> map(3, 4, RandomKey(1));
  const Tensor<double>& v = nn::parameters_of(map)[0].parameter->value();
  const Tensor<double> x = normals({1, 3}, 2);
  Tensor<double> expected = x;
  for (Index k = 0; k < 4; ++k) {
    double product = 0;
    double length = 0;
    for (Index d = 0; d < 3; ++d) {
      product += v(k, d) * expected(0, d);
      length += v(k, d) * v(k, d);
    }
    for (Index d = 0; d < 3; ++d) expected(0, d) -= 2 * product / length * v(k, d);
  }
  CHECK(worst_difference(forward(map, x), expected) < 1e-14);
}

TEST_CASE("linear_maps: a vector of zeros is no reflection") {
  Householder<double> map(2, 1, RandomKey(1));
  for (double& number : nn::parameters_of(map)[0].parameter->mutable_values()) number = 0;
  CHECK_THROWS_AS(forward(map, {{1, 2}}), NumericalError);
}

TEST_CASE("linear_maps: factors multiply to the matrix that they are of") {
  const Tensor<double> matrix{{0, 2, -1}, {3, 1, 4}, {-6, 5, 0.5}};
  const LuLinear<double> map(matrix);
  // Rows of the identity become the columns of the matrix.
  CHECK(worst_difference(forward(map, Tensor<double>::identity(3)),
                         {{0, 3, -6}, {2, 1, 5}, {-1, 4, 0.5}}) < 1e-14);
  Tape<double> tape;
  Context<double> context;
  // The determinant by its first row: -2 (3 0.5 + 4 6) - (3 5 + 6).
  CHECK(map.forward_with_log_det(tape.input(Tensor<double>{{1, 2, 3}}), context).log_det.item() ==
        doctest::Approx(std::log(72)).epsilon(1e-14));
}

TEST_CASE_TEMPLATE("linear_maps: factors start as a random rotation", T, float, double) {
  const LuLinear<T> map(6, RandomKey(4));
  Tape<T> tape;
  Context<T> context;
  const WithLogDet<T> y = map.forward_with_log_det(tape.input(Tensor<T>::identity(6)), context);
  const Tensor<T> rotation(y.value.value());
  const double rounding = 20 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (Index i = 0; i < 6; ++i) {
    for (Index j = 0; j < 6; ++j) {
      double product = 0;
      for (Index k = 0; k < 6; ++k)
        product += static_cast<double>(rotation(i, k)) * static_cast<double>(rotation(j, k));
      CHECK(std::abs(product - (i == j ? 1 : 0)) < rounding);
    }
  }
  CHECK(std::abs(static_cast<double>(Tensor<T>(y.log_det.value())(0))) < rounding);
}

TEST_CASE("linear_maps: a Cholesky factor makes the normal of its covariance") {
  auto map = std::make_unique<Triangular<double>>(2);
  const nn::NamedParameters<double> parameters = nn::parameters_of(*map);
  const std::span<double> shift = parameters[0].parameter->mutable_values();
  shift[0] = 1;
  shift[1] = -1;
  const std::span<double> triangle = parameters[1].parameter->mutable_values();
  triangle[0] = std::log(2.0);
  triangle[1] = 0.6;
  triangle[2] = std::log(0.8);
  const TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                               std::vector<double>{1, 1}),
      std::move(map));
  // scipy 1.17.1: multivariate_normal([1, -1], [[4, 1.2], [1.2, 1]]).logpdf([2, 0.5]).
  CHECK(test::log_prob<double>(model, {{2, 0.5}})(0) ==
        doctest::Approx(-3.557880695655082).epsilon(1e-14));
}

TEST_CASE("linear_maps: settings that are no map are refused") {
  using Lu = LuLinear<double>;
  CHECK_THROWS_WITH_AS(Householder<double>(3, 0, RandomKey(0)), doctest::Contains("got 3 and 0"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Lu(0, RandomKey(0)), doctest::Contains("[lu_linear] one column"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Lu(Tensor<double>{{1, 2}, {2, 4}}), doctest::Contains("singular"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Lu(Tensor<double>{{1, 2}}), doctest::Contains("square"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Lu({0, 1}, {1, 0.5}), doctest::Contains("a sign, 1 or -1"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Lu({0, 0}, {1, 1}), doctest::Contains("[lu_linear] each of"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Triangular<double>(0), doctest::Contains("[triangular] one column"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
