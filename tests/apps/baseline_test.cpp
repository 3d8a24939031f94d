#include "fjord/apps/density/baseline.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/apps/density/k_means.hpp"
#include "fjord/tests/support/flows.hpp"

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

bool never() {
  return false;
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
  const MixtureFit fit = fit_mixture(weighted(clusters()), 3, RandomKey(1), workers, never);
  CHECK(fit.components == 3);
  CHECK(fit.curve.back() == doctest::Approx(-2.753664423426984).epsilon(1e-12));
  check_values(*fit.model, Tensor<double>{{0.0, 0.0}, {10.5, -7.2}, {5.0, -3.0}},
               {-1.1788017948744978, -2.571481558694214, -104.31200985062539}, 1e-11);
}

// Nine clusters on a flattened ring, from which one start in three goes astray.
Tensor<double> ring() {
  Tensor<double> rows = Tensor<double>::zeros({180, 2});
  for (Index i = 0; i < 180; ++i) {
    const auto k = static_cast<double>(i % 9);
    const double u = std::fmod(static_cast<double>(i) * 0.7548776662466927, 1.0);
    const double v = std::fmod(static_cast<double>(i) * 0.5698402909980532, 1.0);
    rows(i, 0) = 3 * std::cos(0.7 * k) + (u - 0.5) * 1.2;
    rows(i, 1) = 3 * std::sin(0.7 * k) * (0.4 + 0.1 * k) + (v - 0.5) * (0.3 + 0.2 * k);
  }
  return rows;
}

// GaussianMixture(9, n_init=20) reaches this from every seed; of 20 seeds with one start each, 14.
TEST_CASE("baseline: several starts reach what scikit-learn's twenty do") {
  Workers workers(2);
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    const MixtureFit fit = fit_mixture(weighted(ring()), 9, RandomKey(seed), workers, never);
    CHECK(fit.curve.back() > -2.648534540001191 - 1e-9);
  }
}

// The least sum that KMeans(9, n_init=200, tol=0) of scikit-learn reaches.
TEST_CASE("baseline: rows are as near to the best centres as scikit-learn brings them") {
  Workers workers(2);
  const Tensor<double> rows = ring();
  double least = std::numeric_limits<double>::infinity();
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    const auto cluster =
        k_means(rows, std::vector<double>(180, 1.0), 9, RandomKey(seed), workers, never);
    double sum = 0;
    for (std::size_t k = 0; k < 9; ++k) {
      for (Index d = 0; d < 2; ++d) {
        double count = 0, total = 0, squares = 0;
        for (Index i = 0; i < 180; ++i) {
          if (cluster[static_cast<std::size_t>(i)] != k) continue;
          count += 1;
          total += rows(i, d);
          squares += rows(i, d) * rows(i, d);
        }
        if (count > 0) sum += squares - total * total / count;
      }
    }
    least = std::min(least, sum);
  }
  CHECK(least == doctest::Approx(43.75596282478527).epsilon(1e-12));
}

TEST_CASE("baseline: the likelihood never falls in a round of expectation maximisation") {
  Workers workers(2);
  Tensor<double> rows = Tensor<double>::zeros({300, 3});
  RandomKey(5).normal(rows.storage());
  for (Index i = 0; i < 300; ++i) rows(i, 1) = rows(i, 0) * rows(i, 0) + 0.3 * rows(i, 1);
  for (const Index components : {2, 5, 9}) {
    const MixtureFit fit = fit_mixture(weighted(rows), components, RandomKey(2), workers, never);
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

TEST_CASE("baseline: held-out rows choose the number of clusters") {
  Workers workers(2);
  const Tensor<double> all = clusters();
  Tensor<double> some = Tensor<double>::zeros({90, 2});
  Tensor<double> others = Tensor<double>::zeros({30, 2});
  for (Index i = 0; i < 120; ++i)
    for (Index d = 0; d < 2; ++d) (i < 90 ? some(i, d) : others(i - 90, d)) = all(i, d);
  const WeightedRows rows = weighted(some);
  const WeightedRows held_out = weighted(others);
  const MixtureFit mixture = choose_mixture(rows, held_out, RandomKey(1), workers, never);
  CHECK(mixture.components >= 3);
  const auto always = [] { return true; };
  CHECK(choose_mixture(rows, held_out, RandomKey(1), workers, always).components == 1);
  CHECK(fit_mixture(rows, 3, RandomKey(1), workers, always).curve.size() == 1);
}

// Rows on the lines y = x and y = -x, in turn, with a noise of 0.001.
WeightedRows crossing_lines(Index rows, std::uint64_t seed) {
  const Tensor<double> normals = test::normals({rows, 2}, seed);
  Tensor<double> values = Tensor<double>::zeros({rows, 2});
  for (Index i = 0; i < rows; ++i) {
    const double noise = 0.001 * normals(i, 1);
    values(i, 0) = normals(i, 0) + noise;
    values(i, 1) = (i % 2 == 0 ? 1 : -1) * (normals(i, 0) - noise);
  }
  return weighted(values);
}

TEST_CASE("baseline: a mixture that begins with memberships is taken if it is better") {
  Workers workers(2);
  const WeightedRows rows = crossing_lines(200, 1);
  const WeightedRows held_out = crossing_lines(50, 2);
  std::vector<std::vector<double>> lines(2, std::vector<double>(200, 0.0));
  for (std::size_t i = 0; i < 200; ++i) lines[i % 2][i] = 1;
  // The search for others ends with one part.
  const auto always = [] { return true; };
  const auto reached = [&](const std::vector<std::vector<double>>& memberships) {
    return mean_log_density(
        *choose_mixture_from(memberships, rows, held_out, RandomKey(1), workers, always).model,
        held_out, workers);
  };
  // Of the two parts, a row has the density of its own: N(0, 2) along the line; across it, N(0, s)
  // with s = 2e-6 and the 1e-6 that is added, where the mean square is 2e-6.
  const double log_density = -std::log(2) - std::log(2 * std::numbers::pi) -
                             std::log(2 * 3e-6) / 2 - 1.0 / 2 - 2.0 / 3 / 2;
  CHECK(std::abs(reached(lines) - log_density) < 0.4);  // of 50 rows
  CHECK(reached({std::vector<double>(200, 1.0)}) ==
        mean_log_density(*fit_mixture(rows, 1, RandomKey(1), workers, always).model, held_out,
                         workers));
}

WeightedRows without(const WeightedRows& rows, Index left_out) {
  const Index count = rows.values.shape()[0] - 1;
  WeightedRows result{Tensor<double>::zeros({count, rows.values.shape()[1]}), {}, rows.given};
  for (Index i = 0; i < count; ++i) {
    const Index from = i < left_out ? i : i + 1;
    for (Index d = 0; d < rows.values.shape()[1]; ++d) result.values(i, d) = rows.values(from, d);
    result.weights.push_back(rows.weights[static_cast<std::size_t>(from)]);
  }
  return result;
}

// The sum over held-out rows, and over rows with kernels, each by the kernels of the others.
double width_score(const WeightedRows& rows, const WeightedRows& held_out, double width) {
  Workers workers(1);
  const auto sum = [&](const Baseline& model, const WeightedRows& scored) {
    double total = 0;
    for (const double weight : scored.weights) total += weight;
    return total * mean_log_density(model, scored, workers);
  };
  double score = sum(*kernel_density(rows, width), held_out);
  for (Index i = 0; i < rows.values.shape()[0]; ++i) {
    WeightedRows one{Tensor<double>::zeros({1, rows.values.shape()[1]}), {}, rows.given};
    for (Index d = 0; d < rows.values.shape()[1]; ++d) one.values(0, d) = rows.values(i, d);
    one.weights.push_back(rows.weights[static_cast<std::size_t>(i)]);
    score += sum(*kernel_density(without(rows, i), width), one);
  }
  return score;
}

TEST_CASE("baseline: the width of kernels is the best of a fine grid") {
  Workers workers(2);
  for (const Index given : {0, 1}) {
    WeightedRows rows = weighted(few_rows(), few_weights);
    WeightedRows held_out = weighted(points, {1, 2, 0.5});
    rows.given = held_out.given = given;
    double best = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (double width = 0.02; width < 2.5; width *= 1.005) {
      const double score = width_score(rows, held_out, width);
      if (score <= most) continue;
      most = score;
      best = width;
    }
    CHECK(best > 0.05);
    CHECK(best < 1.9);
    CHECK(choose_kernel_width(rows, held_out, workers) == doctest::Approx(best).epsilon(0.01));
  }
}

TEST_CASE("baseline: kernels stand on as many rows as the time lasts for") {
  Workers workers(2);
  constexpr Index count = 20'000;
  WeightedRows rows = weighted(Tensor<double>::zeros({count, 1}));
  for (Index i = 0; i < count; ++i) {
    rows.values(i, 0) = static_cast<double>(i);
    rows.weights[static_cast<std::size_t>(i)] = static_cast<double>(i + 1);
  }
  const double all = std::numeric_limits<double>::infinity();
  CHECK(rows_for_kernels(rows, rows, 1, all, workers).weights == rows.weights);
  CHECK(rows_for_kernels(rows, rows, 1, 1e6, workers).weights == rows.weights);
  const WeightedRows few = rows_for_kernels(rows, rows, 1, 1e-6, workers);
  REQUIRE(few.weights.size() > 1'000);
  REQUIRE(few.weights.size() < 5'000);
  const double spacing = static_cast<double>(count) / static_cast<double>(few.weights.size());
  for (std::size_t i = 0; i < few.weights.size(); ++i) {
    const double place = few.values(static_cast<Index>(i), 0);
    CHECK(std::abs(place - spacing * static_cast<double>(i)) <= 1);
    CHECK(few.weights[i] == place + 1);
  }
}

TEST_CASE("baseline: models of no rows are refused") {
  Workers workers(1);
  CHECK_THROWS_AS(fit_gaussian({Tensor<double>::zeros({0, 2}), {}}), std::invalid_argument);
  CHECK_THROWS_AS(fit_mixture(weighted(few_rows()), 9, RandomKey(0), workers, never),
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
