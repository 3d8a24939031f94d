#include "fjord/apps/density/baseline.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

WeightedRows weighted(Tensor<double> values, std::vector<double> weights = {}) {
  if (weights.empty()) weights.assign(static_cast<std::size_t>(values.shape()[0]), 1.0);
  return {std::move(values), std::move(weights)};
}

Tensor<double> few_rows() {
  return {{0.3, -1.2},  {1.1, 0.4}, {-0.7, 0.9},  {0.2, 0.1},
          {-1.5, -0.3}, {0.8, 1.7}, {-0.4, -0.6}, {2.1, 0.5}};
}

const std::vector<double> few_weights{1, 2, 1, 3, 1, 1, 2, 0.5};

// Three clusters of 40 rows, evenly spread in parallelograms.
Tensor<double> clusters() {
  Tensor<double> rows = Tensor<double>::zeros({120, 2});
  for (Index i = 0; i < 120; ++i) {
    const auto k = static_cast<double>(i % 3);
    const double u = std::fmod(static_cast<double>(i) * 0.7548776662466927, 1.0);
    const double v = std::fmod(static_cast<double>(i) * 0.5698402909980532, 1.0);
    rows(i, 0) = 10 * k + (u - 0.5) * 2;
    rows(i, 1) = -7 * k * k + (v - 0.5) * (1 + k) + (u - 0.5);
  }
  return rows;
}

void check_values(const Baseline& model, const Tensor<double>& points,
                  const std::vector<double>& expected, double tolerance) {
  Workers workers(1);
  const Tensor<double> got = model.log_density(points, workers);
  REQUIRE(got.shape() == Shape{static_cast<Index>(expected.size())});
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(got.storage()[i] == doctest::Approx(expected[i]).epsilon(tolerance));
}

const Tensor<double> points{{0.0, 0.0}, {1.5, -0.5}, {-2.0, 3.0}};

// Numbers of scikit-learn 1.9.1: GaussianMixture(1), KernelDensity, GaussianMixture(3); and of
// scipy for the normal distribution of weighted rows.
TEST_CASE("baseline: the normal distribution has scikit-learn's log-densities") {
  check_values(*fit_gaussian(weighted(few_rows())), points,
               {-1.708056668505635, -3.1699767772147878, -12.730115077371796}, 1e-12);
}

TEST_CASE("baseline: the normal distribution of weighted rows has scipy's log-densities") {
  check_values(*fit_gaussian(weighted(few_rows(), few_weights)), points,
               {-1.3231777881720042, -3.6348116933663444, -17.909115413509554}, 1e-12);
}

TEST_CASE("baseline: kernels of a fixed width have scikit-learn's log-densities") {
  check_values(*kernel_density(weighted(few_rows()), 0.2), points,
               {-1.3206376857620317, -12.81582923061728, -76.94844278322097}, 1e-12);
  check_values(*kernel_density(weighted(few_rows()), 0.7), points,
               {-2.3332649133051424, -3.2932609685335112, -9.39230814973041}, 1e-12);
  check_values(*kernel_density(weighted(few_rows(), few_weights), 0.7), points,
               {-1.933690178195579, -3.206958278281349, -9.753814564328781}, 1e-12);
}

TEST_CASE("baseline: a mixture of clusters apart has scikit-learn's log-densities") {
  Workers workers(2);
  const MixtureFit fit = fit_mixture(weighted(clusters()), 3, RandomKey(1), workers);
  CHECK(fit.components == 3);
  CHECK(fit.curve.back() == doctest::Approx(-2.753664423426984).epsilon(1e-12));
  check_values(*fit.model, Tensor<double>{{0.0, 0.0}, {10.5, -7.2}, {5.0, -3.0}},
               {-1.1788017948744978, -2.571481558694214, -104.31200985062539}, 1e-11);
}

TEST_CASE("baseline: the likelihood never falls in a round of expectation maximisation") {
  Workers workers(2);
  Tensor<double> rows = Tensor<double>::zeros({300, 3});
  RandomKey(5).normal(rows.storage());
  for (Index i = 0; i < 300; ++i) rows(i, 1) = rows(i, 0) * rows(i, 0) + 0.3 * rows(i, 1);
  for (const Index components : {2, 5, 9}) {
    const MixtureFit fit = fit_mixture(weighted(rows), components, RandomKey(2), workers);
    REQUIRE(fit.curve.size() > 3);
    // The 1e-6 on the diagonals are not part of the likelihood.
    for (std::size_t k = 1; k < fit.curve.size(); ++k)
      CHECK(fit.curve[k] > fit.curve[k - 1] - 1e-6);
    CHECK(fit.curve.back() ==
          doctest::Approx(mean_log_density(*fit.model, weighted(rows), workers)).epsilon(1e-3));
  }
}

TEST_CASE("baseline: a row of weight 2 counts as two rows") {
  Workers workers(1);
  Tensor<double> twice = Tensor<double>::zeros({9, 2});
  const Tensor<double> once = few_rows();
  for (Index i = 0; i < 9; ++i)
    for (Index d = 0; d < 2; ++d) twice(i, d) = once(std::min<Index>(i, 7), d);
  const std::vector<double> weights{1, 1, 1, 1, 1, 1, 1, 2};
  const auto same = [&](const Baseline& a, const Baseline& b) {
    check_values(a, points, b.log_density(points, workers).to_vector(), 1e-12);
  };
  same(*fit_gaussian(weighted(once, weights)), *fit_gaussian(weighted(twice)));
  same(*kernel_density(weighted(once, weights), 0.5), *kernel_density(weighted(twice), 0.5));
}

TEST_CASE("baseline: held-out rows choose the number of clusters and a width") {
  Workers workers(2);
  const Tensor<double> all = clusters();
  Tensor<double> some = Tensor<double>::zeros({90, 2});
  Tensor<double> others = Tensor<double>::zeros({30, 2});
  for (Index i = 0; i < 120; ++i)
    for (Index d = 0; d < 2; ++d) (i < 90 ? some(i, d) : others(i - 90, d)) = all(i, d);
  const WeightedRows rows = weighted(some);
  const WeightedRows held_out = weighted(others);
  const auto never = [] { return false; };
  const MixtureFit mixture = choose_mixture(rows, held_out, RandomKey(1), workers, never);
  CHECK(mixture.components >= 3);
  const auto kernels = choose_kernel_density(rows, held_out, workers);
  const double best = mean_log_density(*kernels, held_out, workers);
  for (const double width : {0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0})
    CHECK(mean_log_density(*kernel_density(rows, width), held_out, workers) <= best);
  const auto always = [] { return true; };
  CHECK(choose_mixture(rows, held_out, RandomKey(1), workers, always).components == 1);
}

TEST_CASE("baseline: models of no rows are refused") {
  Workers workers(1);
  CHECK_THROWS_AS(fit_gaussian({Tensor<double>::zeros({0, 2}), {}}), std::invalid_argument);
  CHECK_THROWS_AS(fit_mixture(weighted(few_rows()), 9, RandomKey(0), workers),
                  std::invalid_argument);
}

TEST_CASE("baseline: given the first columns, a normal distribution is a regression") {
  WeightedRows rows = weighted(few_rows());
  rows.given = 1;
  Workers workers(1);
  // Least squares of column 1 on column 0.
  const auto n = static_cast<double>(rows.values.shape()[0]);
  double mx = 0, my = 0, xx = 0, xy = 0, ss = 0;
  for (Index i = 0; i < rows.values.shape()[0]; ++i) {
    mx += rows.values(i, 0) / n;
    my += rows.values(i, 1) / n;
  }
  for (Index i = 0; i < rows.values.shape()[0]; ++i) {
    xx += std::pow(rows.values(i, 0) - mx, 2);
    xy += (rows.values(i, 0) - mx) * (rows.values(i, 1) - my);
  }
  const auto residual = [&](Index i) {
    return rows.values(i, 1) - my - xy / xx * (rows.values(i, 0) - mx);
  };
  for (Index i = 0; i < rows.values.shape()[0]; ++i) ss += std::pow(residual(i), 2) / n;
  const Tensor<double> found = fit_gaussian(rows)->log_density(rows.values, workers);
  for (Index i = 0; i < rows.values.shape()[0]; ++i) {
    const double expected =
        -std::pow(residual(i), 2) / (2 * ss) - std::log(2 * std::numbers::pi * ss) / 2;
    CHECK(found(i) == doctest::Approx(expected).epsilon(1e-5));  // 1e-6 on the diagonal
  }
}

TEST_CASE("baseline: given the first columns, kernels are weighed by these") {
  WeightedRows rows{{{0, 0}, {1, 2}}, {1, 1}, 1};
  Workers workers(1);
  const Tensor<double> found = kernel_density(rows, 0.5)->log_density({{0.5, 1}, {0, 2}}, workers);
  const auto kernel = [](double x) {
    return std::exp(-2 * x * x) / std::sqrt(std::numbers::pi / 2);
  };
  CHECK(found(0) == doctest::Approx(std::log(kernel(1))).epsilon(1e-13));
  const double far = std::exp(-2.0);  // the weight of the second row beside that of the first
  CHECK(found(1) ==
        doctest::Approx(std::log((kernel(2) + far * kernel(0)) / (1 + far))).epsilon(1e-13));
}

}  // namespace
}  // namespace fjord::apps::density
