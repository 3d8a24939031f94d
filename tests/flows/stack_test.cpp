#include "fjord/flows/stack.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/elementwise_maps.hpp"
#include "fjord/flows/normalization.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using Part = std::unique_ptr<Bijector<double>>;

std::vector<Part> list(Part first, Part second) {
  std::vector<Part> parts;
  parts.push_back(std::move(first));
  parts.push_back(std::move(second));
  return parts;
}

Part stack(Part first, Part second, std::vector<Index> widths) {
  return std::make_unique<Stack<double>>(list(std::move(first), std::move(second)),
                                         std::move(widths));
}

TEST_CASE("stack: every route, company, precision and the file agree") {
  test::check_bijector(
      {.name = "identity",
       .make = [](const RandomKey&) { return std::make_unique<Identity<double>>(); },
       .x = normals({4, 3}, 1)});
  test::check_bijector({.name = "stack of a conditional map",
                        .make =
                            [](const RandomKey& key) {
                              return stack(std::make_unique<ConditionalAffine<double>>(
                                               2, 3, ConditionalAffineOptions{{4}, "tanh"}, key),
                                           std::make_unique<Exp<double>>(), {2, 1});
                            },
                        .x = normals({4, 3}, 2),
                        .given = normals({4, 3}, 3)});
  const auto scales = [](const RandomKey&) {
    return std::make_unique<Chain<double>>(list(
        stack(std::make_unique<Affine<double>>(2), std::make_unique<Identity<double>>(), {2, 2}),
        std::make_unique<Affine<double>>(4)));
  };
  test::check_bijector({.name = "split of two scales", .make = scales, .x = normals({4, 4}, 4)});
}

TEST_CASE("stack: the density is the product of those of the columns") {
  auto affine = std::make_unique<Affine<double>>(1);
  affine->set({2}, {1});
  const TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                               std::vector<double>{1, 1}),
      stack(std::move(affine), std::make_unique<Exp<double>>(), {1, 1}));
  // N(1, 2^2) at 0, and a lognormal at 2.5: scipy 1.17.1, norm(1, 2).logpdf(0) +
  // lognorm(1).logpdf(2.5).
  CHECK(test::log_prob<double>(model, {{0, 2.5}})(0) ==
        doctest::Approx(-3.992109331502683).epsilon(1e-14));
}

TEST_CASE("stack: its parts adapt to their columns") {
  const Part map =
      stack(std::make_unique<Identity<double>>(), std::make_unique<ActNorm<double>>(1), {1, 1});
  CHECK(map->adapting_steps() == 1);
  Tape<double> tape;
  Context<double> context;
  const Var<double> z = map->adapt(tape.input(Tensor<double>{{7, 2}, {8, 6}}), context, 0);
  CHECK(test::worst_difference(Tensor<double>(z.value()), {{7, -1}, {8, 1}}) < 1e-15);
  CHECK(stack(std::make_unique<Identity<double>>(), std::make_unique<MovingBatchNorm<double>>(1),
              {1, 1})
            ->adapting_steps() > 1'000'000);
}

TEST_CASE("stack: parts and widths that do not fit are refused") {
  CHECK_THROWS_WITH_AS(stack(std::make_unique<Identity<double>>(), nullptr, {1, 1}),
                       doctest::Contains("null"), std::invalid_argument);
  const auto refuses = [](std::vector<Index> widths, const char* message) {
    CHECK_THROWS_WITH_AS(stack(std::make_unique<Identity<double>>(),
                               std::make_unique<Identity<double>>(), std::move(widths)),
                         doctest::Contains(message), std::invalid_argument);
  };
  refuses({1}, "got 2 and 1");
  refuses({1, 0}, "must be positive, got 0");
  Tape<double> tape;
  Context<double> context;
  const Part map =
      stack(std::make_unique<Identity<double>>(), std::make_unique<Identity<double>>(), {1, 2});
  CHECK_THROWS_WITH_AS(map->forward(tape.input(normals({2, 4}, 1)), context),
                       doctest::Contains("[stack] rows of 3 numbers"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
