#include "fjord/flows/standardise_given.hpp"

#include <cmath>
#include <numbers>
#include <utility>

#include <doctest/doctest.h>

#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

// N(2 g - 1, e^(-2 g)) with g = (given - 10) / 4.
std::unique_ptr<Distribution<double>> conditional_normal() {
  auto map = std::make_unique<ConditionalAffine<double>>(1, 1, ConditionalAffineOptions{{}, "tanh"},
                                                         RandomKey(1));
  const nn::NamedParameters<double> parameters = nn::parameters_of(*map);
  parameters[0].parameter->mutable_values()[0] = 2;
  parameters[0].parameter->mutable_values()[1] = -1;
  parameters[1].parameter->mutable_values()[0] = -1;
  auto normal = std::make_unique<TransformedDistribution<double>>(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::move(map));
  return std::make_unique<StandardiseGiven<double>>(std::move(normal), std::vector<double>{10},
                                                    std::vector<double>{4});
}

TEST_CASE("standardise_given: every route, company, precision and the file agree") {
  test::check_distribution({.name = "standardise_given",
                            .make = [](const RandomKey&) { return conditional_normal(); },
                            .x = {{0.5}, {-1.2}, {2}},
                            .given = {{9}, {12.5}, {8}}});
}

TEST_CASE("standardise_given: a normal of given mean and deviation has its closed form") {
  const auto model = conditional_normal();
  Tape<double> tape;
  Context<double> context;
  context.given = tape.input(Tensor<double>{{14}, {8}});
  const Var<double> log_prob = model->log_prob(tape.input(Tensor<double>{{2}, {0}}), context);
  const double log_root = std::log(2 * std::numbers::pi) / 2;
  // g = 1: mean 1, deviation e^-1; g = -1/2: mean -2, deviation e^(1/2).
  CHECK(log_prob.value()(0) == doctest::Approx(1 - std::exp(2) / 2 - log_root).epsilon(1e-14));
  CHECK(log_prob.value()(1) == doctest::Approx(-0.5 - 2 * std::exp(-1) - log_root).epsilon(1e-14));
  CHECK(context.given.value()(0, 0) == 14);
}

TEST_CASE("standardise_given: rows need as many given numbers as there are units") {
  const auto model = conditional_normal();
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input(Tensor<double>{{2}, {0}});
  CHECK_THROWS_WITH_AS(model->log_prob(x, context), doctest::Contains("got none"),
                       std::invalid_argument);
  context.given = tape.input(Tensor<double>{{14, 1}, {8, 1}});
  CHECK_THROWS_WITH_AS(model->log_prob(x, context), doctest::Contains("got [2, 2]"),
                       std::invalid_argument);
  CHECK_THROWS_AS(StandardiseGiven<double>(nullptr, {0}, {1}), std::invalid_argument);
  CHECK_THROWS_AS(StandardiseGiven<double>(conditional_normal(), {0}, {0}), std::invalid_argument);
}

// y = sin(g) + N(0, 0.3^2) with g in units of (given - 10) / 4: ten standard errors above what a
// normal distribution reaches, which knows the variance of y alone.
TEST_CASE("trained: a model of what is given learns more than a normal distribution") {
  const auto table = [](Index count, std::uint64_t seed) {
    Tensor<double> given = test::normals({count, 1}, seed);
    Tensor<double> y = test::normals({count, 1}, seed + 100, 0.3);
    for (Index i = 0; i < count; ++i) {
      y(i, 0) += std::sin(2 * given(i, 0));
      given(i, 0) = 10 + 4 * given(i, 0);
    }
    return std::pair(std::move(y), std::move(given));
  };
  const auto [y, given] = table(1024, 1);
  const auto [new_y, new_given] = table(2000, 2);
  auto flow = std::make_unique<TransformedDistribution<double>>(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::make_unique<ConditionalAffine<double>>(1, 1, ConditionalAffineOptions{{24}, "tanh"},
                                                  RandomKey(3)));
  StandardiseGiven<double> model(std::move(flow), {10}, {4});
  Workers workers(1);
  const TableRows<double> rows(y, given);
  fit<double>(model, rows, nullptr, workers, {.epochs = 100, .batch = 128, .rate = 0.01});
  ShardedModel<double> sharded(model, workers);
  const Tensor<double> reached =
      sharded.log_prob(TableRows<double>(new_y, new_given), RandomKey(1)).values;
  const auto n = static_cast<double>(new_y.size());
  double variance = 0;
  double mean = 0;
  double squares = 0;
  for (const double v : new_y.storage()) variance += v * v / n;
  for (const double v : reached.storage()) mean += v / n;
  for (const double v : reached.storage()) squares += (v - mean) * (v - mean);
  const double normal = -std::log(2 * std::numbers::pi * variance) / 2 - 0.5;
  CHECK(mean > normal + 10 * std::sqrt(squares) / n);
}

}  // namespace
}  // namespace fjord::flows
