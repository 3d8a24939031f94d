#include "fjord/apps/density/column_map.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "fjord/autodiff/tape.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::apps::density {
namespace {

using Shape = ColumnMap::Shape;

std::vector<double> mapped(const Tensor<double>& normals, double (*map)(double)) {
  std::vector<double> numbers;
  for (const double x : normals.storage()) numbers.push_back(map(x));
  return numbers;
}

ColumnMap chosen(double (*map)(double)) {
  const std::vector<double> training = mapped(test::normals({400}, 1), map);
  const auto [low, high] = std::ranges::minmax(training);
  return choose_map(training, mapped(test::normals({100}, 2), map), {low, high});
}

TEST_CASE("column map: the shape is that by which normal numbers were made") {
  CHECK(chosen([](double x) { return 3 + 2 * x; }).shape == Shape::straight);
  CHECK(chosen([](double x) { return std::exp(1 + x); }).shape == Shape::positive);
  CHECK(chosen([](double x) { return 1 / (1 + std::exp(-2 * x)); }).shape == Shape::interval);
  CHECK(chosen([](double x) { return 5 + std::sinh(2 * std::asinh(x)); }).shape ==
        Shape::heavy_tails);
  // Positive, but not skewed: nothing is gained.
  CHECK(chosen([](double x) { return 1000 + x; }).shape == Shape::straight);
}

// Columns e^u, e^v, e^u + e^v (or, without a relation, e^w), e^(2 z), and of the last 1.2 times as
// much, but for 0.3 %.
Tensor<double> parts_and_sum(Index rows, std::uint64_t seed, bool is_sum) {
  const Tensor<double> normals = test::normals({rows, 5}, seed);
  Tensor<double> result = Tensor<double>::zeros({rows, 5});
  for (Index i = 0; i < rows; ++i) {
    result(i, 0) = std::exp(normals(i, 0));
    result(i, 1) = std::exp(normals(i, 1));
    result(i, 2) = is_sum ? result(i, 0) + result(i, 1) : std::exp(normals(i, 2));
    result(i, 3) = std::exp(2 * normals(i, 3));
    result(i, 4) = 1.2 * result(i, 3) * (1 + 0.003 * normals(i, 4));
  }
  return result;
}

std::vector<Shape> kept_shapes(bool is_sum) {
  const Tensor<double> training = parts_and_sum(400, 1, is_sum);
  const Tensor<double> validation = parts_and_sum(60, 2, is_sum);
  std::vector<ColumnMap> straight;
  std::vector<ColumnMap> logarithms;
  for (std::size_t k = 0; k < 5; ++k) {
    const std::span<const double> column = training.storage().subspan(k * 400, 400);
    const ColumnMap positive =
        choose_map(column, validation.storage().subspan(k * 60, 60), {1e-9, 1e9});
    REQUIRE(positive.shape == Shape::positive);
    logarithms.push_back(positive);
    const double mean = std::accumulate(column.begin(), column.end(), 0.0) / 400;
    double squares = 0;
    for (const double x : column) squares += (x - mean) * (x - mean);
    straight.push_back({.mean = mean, .deviation = std::sqrt(squares / 400)});
  }
  std::vector<Shape> shapes;
  for (const ColumnMap& map : keep_relations(logarithms, straight, training, validation))
    shapes.push_back(map.shape);
  return shapes;
}

TEST_CASE("column map: the columns of a sum stay straight, and only these") {
  constexpr Shape straight = Shape::straight;
  constexpr Shape positive = Shape::positive;
  CHECK(kept_shapes(true) == std::vector<Shape>{straight, straight, straight, positive, positive});
  CHECK(kept_shapes(false) == std::vector<Shape>(5, positive));
}

TEST_CASE("column map: one row far out does not hide what all others show") {
  const auto exponential = [](double x) { return std::exp(3 * x); };
  const std::vector<double> training = mapped(test::normals({400}, 1), exponential);
  std::vector<double> validation = mapped(test::normals({100}, 2), exponential);
  CHECK(choose_map(training, validation, {1e-9, 1e9}).shape == Shape::positive);
  validation[7] = exponential(5);
  CHECK(choose_map(training, validation, {1e-9, 1e9}).shape == Shape::positive);
  // The others show nothing here.
  const auto line = [](double x) { return 1000 + x; };
  std::vector<double> normal = mapped(test::normals({100}, 2), line);
  normal[7] = line(15);
  CHECK(choose_map(mapped(test::normals({400}, 1), line), normal, {900, 1100}).shape ==
        Shape::straight);
}

TEST_CASE("column map: mean and deviation are those of the logarithms") {
  const std::vector<double> training = mapped(test::normals({400}, 1), std::exp);
  const std::vector<double> validation = mapped(test::normals({100}, 2), std::exp);
  const ColumnMap map = choose_map(training, validation, {0.01, 100});
  double mean = 0;
  double squares = 0;
  for (const double x : training) mean += std::log(x) / 400;
  for (const double x : training) squares += std::pow(std::log(x) - mean, 2) / 400;
  CHECK(map.mean == doctest::Approx(mean).epsilon(1e-12));
  CHECK(map.deviation == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
}

TEST_CASE("column map: the bijector undoes the standard numbers") {
  const std::vector<ColumnMap> maps{{Shape::straight, 0, 1, 1, 5, 2},
                                    {Shape::positive, 0, 1, 1, 0.5, 0.25},
                                    {Shape::interval, 0, 1, 1, -1, 0.5},
                                    {Shape::heavy_tails, 3, 0.5, 2, 0, 1.5}};
  const Tensor<double> table{{4, 2, 0.25, 3}, {7, 1, 0.5, -10}, {5, 0.1, 0.875, 8}};
  const Tensor<double> standard = standard_numbers(table, maps);
  CHECK(standard(0, 0) == doctest::Approx(-0.5).epsilon(1e-15));
  CHECK(standard(1, 1) == doctest::Approx(-2).epsilon(1e-15));  // (log 1 - 0.5) / 0.25
  CHECK(standard(1, 2) == doctest::Approx(2).epsilon(1e-15));
  CHECK(standard(2, 3) == doctest::Approx(std::sinh(std::asinh(10.0) / 2) / 1.5).epsilon(1e-14));
  Tape<double> tape;
  flows::Context<double> context{.gradient = &ode::values_only};
  const Var<double> back = bijector_of<double>(maps)->forward(tape.input(standard), context);
  for (Index i = 0; i < 3; ++i)
    for (Index k = 0; k < 4; ++k)
      CHECK(back.value()(i, k) == doctest::Approx(table(i, k)).epsilon(1e-13));
}

TEST_CASE("column map: a shape must have place for all rows") {
  const std::vector<double> training = mapped(test::normals({400}, 1), std::exp);
  const std::vector<double> validation = mapped(test::normals({100}, 2), std::exp);
  CHECK(choose_map(training, validation, {0.01, 100}).shape == Shape::positive);
  CHECK(choose_map(training, validation, {-0.5, 100}).shape != Shape::positive);
}

TEST_CASE("column map: a column of one number is refused") {
  const std::vector<double> same(10, 4.0);
  CHECK_THROWS_AS(choose_map(same, same, {4, 4}), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps::density
