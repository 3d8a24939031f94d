#include "fjord/flows/normalization.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/distributions/mixture.hpp"
#include "fjord/flows/distributions/product.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::worst_difference;

Tensor<double> adapted(Bijector<double>& map, const Tensor<double>& y, std::uint64_t step) {
  Tape<double> tape;
  Context<double> context;
  return Tensor<double>(map.adapt(tape.input(y), context, step).value());
}

const Tensor<double> first{{1, -2}, {3, 0.5}, {-0.5, 4}};
const Tensor<double> second{{2, 2}, {0.25, -1}};

std::unique_ptr<Bijector<double>> moved_batch_norm(const RandomKey&) {
  auto map = std::make_unique<MovingBatchNorm<double>>(2);
  adapted(*map, first, 0);
  return map;
}

TEST_CASE("normalization: every route, company, precision and the file agree") {
  test::check_bijector(
      {.name = "act norm",
       .make = [](const RandomKey&) { return std::make_unique<ActNorm<double>>(3); },
       .x = normals({4, 3}, 1)});
  test::check_bijector(
      {.name = "moving batch norm", .make = moved_batch_norm, .x = normals({4, 2}, 2)});
}

TEST_CASE("normalization: act norm starts with the mean 0 and the variance 1 of the first rows") {
  ActNorm<double> map(2);
  // Column 0 has the mean 5 and the deviation 2, column 1 -1 and 0.5.
  const Tensor<double> rows{{2, -1.5}, {4, -1.5}, {4, -1.5}, {4, -1.5},
                            {5, -0.5}, {5, -0.5}, {7, -0.5}, {9, -0.5}};
  const Tensor<double> standard{{-1.5, -1}, {-0.5, -1}, {-0.5, -1}, {-0.5, -1},
                                {0, 1},     {0, 1},     {1, 1},     {2, 1}};
  CHECK(worst_difference(adapted(map, rows, 0), standard) < 1e-15);
  CHECK(map.adapting_steps() == 1);
  // Neither a later step nor another start changes it.
  for (const std::uint64_t step : {7U, 0U}) {
    CHECK(worst_difference(adapted(map, {{7, 0}}, step), {{1, 2}}) < 1e-15);
  }
}

TEST_CASE("normalization: a loaded act norm does not start again") {
  auto map = std::make_unique<ActNorm<double>>(2);
  adapted(*map, first, 0);
  const Tensor<double> expected = adapted(*map, second, 1);
  TransformedDistribution<double> model(std::make_unique<DiagonalNormal<double>>(
                                            std::vector<double>{0, 0}, std::vector<double>{1, 1}),
                                        std::move(map));
  ActNorm<double> fresh(2);
  auto again = std::make_unique<ActNorm<double>>(2);
  Bijector<double>& loaded_map = *again;
  TransformedDistribution<double> loaded(std::make_unique<DiagonalNormal<double>>(
                                             std::vector<double>{0, 0}, std::vector<double>{1, 1}),
                                         std::move(again));
  load_parameters(loaded, state_of(model));
  CHECK(adapted(loaded_map, second, 0) == expected);
  CHECK(adapted(fresh, second, 0) != expected);
}

TEST_CASE("normalization: a chain starts each act norm with what the later maps leave") {
  std::vector<std::unique_ptr<Bijector<double>>> parts;
  parts.push_back(std::make_unique<ActNorm<double>>(2));
  parts.push_back(std::make_unique<ActNorm<double>>(2));
  Chain<double> chain(std::move(parts));
  const Tensor<double> z = adapted(chain, first, 0);
  for (Index d = 0; d < 2; ++d) {
    CHECK(std::abs(z(0, d) + z(1, d) + z(2, d)) < 1e-14);
    CHECK(z(0, d) * z(0, d) + z(1, d) * z(1, d) + z(2, d) * z(2, d) == doctest::Approx(3));
  }
}

TEST_CASE("normalization: products and mixtures adapt what they consist of") {
  using Parts = std::vector<std::unique_ptr<Distribution<double>>>;
  const auto part = [](std::unique_ptr<Bijector<double>> map) {
    return std::make_unique<TransformedDistribution<double>>(
        std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
        std::move(map));
  };
  // Two columns of the means 5 and -1, and the deviations 2 and 0.5.
  const Tensor<double> rows{{3, -1.5}, {7, -0.5}};
  const double lone = -0.5 * std::log(2 * std::numbers::pi) - 0.5;
  const auto check = [&](Distribution<double>& model, const Tensor<double>& x, double expected) {
    CHECK(model.adapting_steps() == 1);
    Tape<double> tape;
    Context<double> context;
    model.adapt(tape.input(x), context, 0);
    tape.clear();
    const Tensor<double> found(model.log_prob(tape.input(x), context).value());
    for (const double log_prob : found.to_vector())
      CHECK(log_prob == doctest::Approx(expected).epsilon(1e-14));
  };
  Parts columns;
  for (int k = 0; k < 2; ++k) columns.push_back(part(std::make_unique<ActNorm<double>>(1)));
  Product<double> product(std::move(columns));
  check(product, rows, 2 * lone - std::log(2) - std::log(0.5));
  Parts components;
  for (int k = 0; k < 2; ++k) components.push_back(part(std::make_unique<ActNorm<double>>(1)));
  Mixture<double> mixture(std::move(components));
  check(mixture, {{3}, {7}}, lone - std::log(2));
}

TEST_CASE("normalization: moving batch norm has the values of FFJORD's code") {
  MovingBatchNorm<double> map(2);
  CHECK(map.adapting_steps() > 1000'000);
  const nn::NamedParameters<double> parameters = nn::parameters_of(map);
  parameters[0].parameter->mutable_values()[0] = 0.2;
  parameters[0].parameter->mutable_values()[1] = -0.3;
  parameters[1].parameter->mutable_values()[0] = 0.1;
  parameters[1].parameter->mutable_values()[1] = 0.5;
  adapted(map, first, 0);
  adapted(map, second, 1);
  Tape<double> tape;
  Context<double> context;
  const WithLogDet<double> z =
      map.inverse_with_log_det(tape.input(Tensor<double>{{0.7, -1.1}, {2, 3}}), context);
  // The formulas of lib/layers/normalization.py there, in torch 2.15.0, after the same batches.
  CHECK(worst_difference(Tensor<double>(parameters[2].parameter->value()), {0.2175, 0.125}) <
        1e-15);
  CHECK(worst_difference(Tensor<double>(parameters[3].parameter->value()), {1.240625, 2.0775}) <
        1e-15);
  CHECK(worst_difference(Tensor<double>(z.value.value()),
                         {{0.629076470271309, -0.12960298128421432},
                          {2.0545674782561836, 1.9776396499527478}}) < 1e-15);
  CHECK(worst_difference(Tensor<double>(z.log_det.value()),
                         {-0.573454633772727, -0.573454633772727}) < 1e-15);
}

TEST_CASE("normalization: rows without moments and options out of range are refused") {
  ActNorm<double> act_norm(2);
  CHECK_THROWS_WITH_AS(adapted(act_norm, {{1, 2}, {3, 2}}, 0),
                       doctest::Contains("[act_norm] column 2 is constant"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(adapted(act_norm, {{1, 2, 3}}, 0), doctest::Contains("rows of 2 numbers"),
                       std::invalid_argument);
  MovingBatchNorm<double> moving(2);
  CHECK_THROWS_WITH_AS(adapted(moving, {{1, 2}}, 0), doctest::Contains("two rows at least"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(adapted(moving, {{1, 2}, {NAN, 3}}, 0),
                       doctest::Contains("column 1 has a number that is not finite"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(MovingBatchNorm<double>(2, {.decay = 0}), doctest::Contains("a decay in"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(MovingBatchNorm<double>(2, {.epsilon = 0}),
                       doctest::Contains("a positive epsilon"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
