#include "fjord/flows/fit_lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/normalization.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/learning.hpp"
#include "fjord/tests/support/part_models.hpp"

namespace fjord::flows {
namespace {

TransformedDistribution<double> over_normal(std::unique_ptr<Bijector<double>> part) {
  return {std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                                   std::vector<double>{1, 1}),
          std::move(part)};
}

// The smallest mean loss that a normal distribution with independent columns has on rows.
double best_of_normal(const Tensor<double>& x) {
  const auto n = static_cast<double>(x.shape()[0]);
  double loss = 0;
  for (Index d = 0; d < 2; ++d) {
    double mean = 0;
    double variance = 0;
    for (Index i = 0; i < x.shape()[0]; ++i) mean += x(i, d) / n;
    for (Index i = 0; i < x.shape()[0]; ++i) variance += std::pow(x(i, d) - mean, 2) / n;
    loss += 0.5 * std::log(2 * std::numbers::pi * std::numbers::e * variance);
  }
  return loss;
}

TEST_CASE("fit_lbfgs: it finds the most likely normal distribution, to the last digits") {
  Tensor<double> x = test::normals({300, 2}, 3, 2.5);
  for (Index i = 0; i < 300; ++i) x(i, 1) += 7;
  for (const bool adapts : {false, true}) {
    std::unique_ptr<Bijector<double>> part = std::make_unique<Affine<double>>(2);
    if (adapts) part = std::make_unique<ActNorm<double>>(2);
    auto model = over_normal(std::move(part));
    Workers workers(2);
    const FitReport report = fit_lbfgs<double>(model, TableRows<double>(x), nullptr, workers);
    CHECK(report.end == FitEnd::converged);
    // An act norm begins there.
    REQUIRE(report.curve.empty() == adapts);
    const test::Score reached = test::score(test::log_prob<double>(model, x).to_vector());
    CHECK(-reached.mean == doctest::Approx(best_of_normal(x)).epsilon(1e-13));
    if (!adapts) CHECK(report.curve.back().loss == doctest::Approx(-reached.mean).epsilon(1e-13));
  }
}

TEST_CASE("fit_lbfgs: a flow learns, and keeps what is best for rows that were held out") {
  const auto row = test::models_of_bijectors().at("coupling");
  const auto model = row.make();
  const Tensor<double> x = row.rows(200, 1);
  const Tensor<double> held_out = row.rows(500, 2);
  const TableRows<double> other(held_out);
  Workers workers(2);
  const FitReport report = fit_lbfgs<double>(*model, TableRows<double>(x), &other, workers,
                                             {.steps = 60, .patience = 15});
  REQUIRE(report.best_epoch > 5);
  double best = *report.curve[0].held_out;
  for (std::size_t i = 1; i < report.curve.size(); ++i) {
    CHECK(report.curve[i].loss < report.curve[i - 1].loss);
    best = std::min(best, *report.curve[i].held_out);
  }
  CHECK(best == *report.curve[static_cast<std::size_t>(report.best_epoch) - 1].held_out);
  const test::Score reached = test::score(test::log_prob<double>(*model, held_out).to_vector());
  CHECK(-reached.mean == doctest::Approx(best).epsilon(1e-12));
  CHECK(*report.curve[0].held_out - best > 10 * reached.error);
}

TEST_CASE("fit_lbfgs: what cannot be trained so is refused") {
  const Tensor<double> x = test::normals({20, 2}, 3);
  Workers workers(1);
  const auto refuses = [&](Distribution<double>& model, const Tensor<double>& rows,
                           const LbfgsFitOptions<double>& options) {
    CHECK_THROWS_AS(fit_lbfgs<double>(model, TableRows<double>(rows), nullptr, workers, options),
                    std::invalid_argument);
  };
  auto model = over_normal(std::make_unique<Affine<double>>(2));
  refuses(model, Tensor<double>::zeros({0, 2}), {});
  refuses(model, x, {.steps = -1});
  refuses(model, x, {.loss = nullptr});
  refuses(model, x, {.gradient = &ode::values_only});
  auto moving = over_normal(std::make_unique<MovingBatchNorm<double>>(2));
  refuses(moving, x, {});
}

}  // namespace
}  // namespace fjord::flows
