#include "fjord/flows/affine.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::normals;

template <class C>
std::unique_ptr<Bijector<double>> of_dim_3(const RandomKey&) {
  return std::make_unique<C>(3);
}

TEST_CASE("affine: every route, company, precision and the file agree") {
  test::check_bijector(
      {.name = "affine", .make = of_dim_3<Affine<double>>, .x = normals({4, 3}, 1)});
  test::check_bijector({.name = "shift", .make = of_dim_3<Shift<double>>, .x = normals({4, 3}, 2)});
  test::check_bijector({.name = "scale", .make = of_dim_3<Scale<double>>, .x = normals({4, 3}, 3)});
}

TEST_CASE("affine: a normal becomes the normal of another mean and deviation") {
  auto affine = std::make_unique<Affine<double>>(2);
  affine->set({2, 0.5}, {-1, 3});
  const TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                               std::vector<double>{1, 1}),
      std::move(affine));
  // N(-1, 2^2) at 1.5 and N(3, 0.5^2) at 2.75.
  const double exact = -std::log(2 * 3.14159265358979312) - 0.5 * (1.25 * 1.25 + 0.25);
  CHECK(test::log_prob<double>(model, {{1.5, 2.75}})(0) == doctest::Approx(exact).epsilon(1e-14));
}

TEST_CASE("affine: other rows and no columns are refused") {
  CHECK_THROWS_WITH_AS(Affine<double>(0), doctest::Contains("[affine] one column at least"),
                       std::invalid_argument);
  Affine<double> two(2);
  CHECK_THROWS_WITH_AS(two.set({1, 1, 1}, {0, 0}), doctest::Contains("2 scales and shifts"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(two.set({1, 0}, {0, 0}), doctest::Contains("must be positive"),
                       std::invalid_argument);
  Tape<double> tape;
  Context<double> context;
  // A row of one number would broadcast.
  CHECK_THROWS_WITH_AS(Scale<double>(3).forward(tape.input(normals({2, 1}, 1)), context),
                       doctest::Contains("[scale] rows of 3 numbers are needed"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
