#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/flows/flows.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using Distributions = std::vector<std::unique_ptr<Distribution<double>>>;
using Numbers = std::vector<double>;

using Make = std::function<std::unique_ptr<Distribution<double>>()>;

void check(const char* name, const Make& make, const Tensor<double>& x, double tolerance = 1e-9) {
  test::check_distribution({.name = name,
                            .make = [&](const RandomKey&) { return make(); },
                            .x = x,
                            .tolerance = tolerance});
}

const Numbers means{0.3, -1, 2};
const Numbers lower{1.2, -0.4, 0.6, 0.3, 0.9, 0.5};
const Numbers diagonal{0.5, 0.25, 2};
const Numbers wide{1.2, 0.1, -0.4, 0.6, 0.3, 0.9};

std::unique_ptr<FullNormal<double>> full_normal() {
  return std::make_unique<FullNormal<double>>(means, lower);
}

std::unique_ptr<LowRankNormal<double>> low_rank_normal() {
  return std::make_unique<LowRankNormal<double>>(means, diagonal, wide);
}

std::unique_ptr<Truncated<double>> truncated() {
  return std::make_unique<Truncated<double>>(
      std::make_unique<DiagonalNormal<double>>(Numbers{0.3, 0.3, 0.3}, Numbers{0.7, 0.7, 0.7}),
      Numbers{1, -9, -30}, Numbers{2, 0.5, 1});
}

std::unique_ptr<Mixture<double>> mixture() {
  Distributions parts;
  parts.push_back(std::make_unique<DiagonalNormal<double>>(Numbers{0, 1}, Numbers{1, 2}));
  parts.push_back(std::make_unique<Laplace<double>>(Numbers{3, -1}, Numbers{0.5, 1}));
  parts.push_back(std::make_unique<Exponential<double>>(Numbers{1, 2}));
  auto mixture = std::make_unique<Mixture<double>>(std::move(parts));
  const Numbers logits{0.5, -0.2, 0.1};
  std::copy(logits.begin(), logits.end(), mixture->logits().mutable_values().begin());
  return mixture;
}

std::unique_ptr<Product<double>> product() {
  Distributions parts;
  parts.push_back(std::make_unique<Gamma<double>>(Numbers{2.5}, Numbers{1.5}));
  parts.push_back(full_normal());
  return std::make_unique<Product<double>>(std::move(parts));
}

TEST_CASE("distributions: every one passes the battery") {
  check("DiagonalNormal",
        [] {
          return std::make_unique<DiagonalNormal<double>>(Numbers{0.1, -0.3, 0.5},
                                                          Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, -1.2, 0.35}, {-2.1, 0.4, 3.2}});
  check("StudentT",
        [] {
          return std::make_unique<StudentT<double>>(Numbers{1.5, 3, 30}, Numbers{0.1, -0.3, 0.5},
                                                    Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, -1.2, 0.35}, {-2.1, 0.4, 3.2}});
  check(
      "Logistic",
      [] {
        return std::make_unique<Logistic<double>>(Numbers{0.1, -0.3, 0.5}, Numbers{0.8, 1.3, 0.6});
      },
      {{0.7, -1.2, 0.35}, {-2.1, 0.4, 3.2}});
  check("Laplace",
        [] {
          return std::make_unique<Laplace<double>>(Numbers{0.1, -0.3, 0.5}, Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, -1.2, 0.35}, {-2.1, 0.4, 3.2}});
  check("Cauchy",
        [] {
          return std::make_unique<Cauchy<double>>(Numbers{0.1, -0.3, 0.5}, Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, -1.2, 0.35}, {-2.1, 0.4, 3.2}});
  check("Uniform",
        [] {
          return std::make_unique<Uniform<double>>(Numbers{-1, 0, -3}, Numbers{1.5, 2, 4});
        },
        {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check(
      "LogNormal",
      [] {
        return std::make_unique<LogNormal<double>>(Numbers{0.1, -0.3, 0.5}, Numbers{0.8, 1.3, 0.6});
      },
      {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check("Gamma",
        [] {
          return std::make_unique<Gamma<double>>(Numbers{0.4, 1, 3.5}, Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check("Beta",
        [] {
          return std::make_unique<Beta<double>>(Numbers{0.4, 1, 3.5}, Numbers{0.8, 1.3, 2.6});
        },
        {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check("Exponential",
        [] {
          return std::make_unique<Exponential<double>>(Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check("HalfNormal",
        [] {
          return std::make_unique<HalfNormal<double>>(Numbers{0.8, 1.3, 0.6});
        },
        {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check("VonMises",
        [] {
          return std::make_unique<VonMises<double>>(Numbers{0.1, -0.3, 2.5}, Numbers{0.8, 1.3, 60});
        },
        {{0.7, 0.2, 0.35}, {0.1, 0.6, 0.9}});
  check("FullNormal", full_normal, {{0.7, 0.2, 0.35}, {-1.1, 0.6, 0.9}});
  check("LowRankNormal", low_rank_normal, {{0.7, 0.2, 0.35}, {-1.1, 0.6, 0.9}});
  check("Dirichlet",
        [] {
          return std::make_unique<Dirichlet<double>>(Numbers{1.5, 0.7, 3, 2});
        },
        {{0.2, 0.3, 0.4}, {0.05, 0.6, 0.1}});
  check("Truncated", truncated, {{1.2, 0.2, 0.35}, {1.9, -1, 0.9}});
  check("Mixture", mixture, {{0.7, 0.2}, {1.1, 0.6}, {-2, 3}});
  check("Product", product, {{0.7, 0.2, 0.35, 1}, {1.1, 0.6, -2, 3}});
  // Whole numbers have no derivatives.
  check(
      "Bernoulli", [] { return std::make_unique<Bernoulli<double>>(0.3); }, {{0}, {1}}, 0);
  check(
      "Categorical",
      [] {
        return std::make_unique<Categorical<double>>(Numbers{1, 0.5, 2});
      },
      {{0}, {2}, {1}}, 0);
}

// By scipy 1.17.1, multivariate_normal and dirichlet.
TEST_CASE("distributions: joint densities and entropies are those of scipy") {
  const Tensor<double> full = test::log_prob<double>(*full_normal(), {{0, 0, 0}, {1.5, -2, 0.5}});
  CHECK(full(0) == doctest::Approx(-24.342664352082252).epsilon(1e-12));
  CHECK(full(1) == doctest::Approx(-4.355164352082044).epsilon(1e-12));
  CHECK(*full_normal()->entropy() == doctest::Approx(3.235164352082033).epsilon(1e-12));
  const Tensor<double> low =
      test::log_prob<double>(*low_rank_normal(), {{0, 0, 0}, {1.5, -2, 0.5}});
  CHECK(low(0) == doctest::Approx(-5.455531261686371).epsilon(1e-12));
  CHECK(low(1) == doctest::Approx(-4.415811558471201).epsilon(1e-12));
  CHECK(*low_rank_normal()->entropy() == doctest::Approx(4.835904362616768).epsilon(1e-12));
  const Dirichlet<double> dirichlet({1.5, 0.7, 3});
  const Tensor<double> parts =
      test::log_prob<double>(dirichlet, {{0.2, 0.3}, {0.01, 0.9}, {0.6, 0.5}, {-0.1, 0.5}});
  CHECK(parts(0) == doctest::Approx(0.8205864967543859).epsilon(1e-12));
  CHECK(parts(1) == doctest::Approx(-4.436460182806896).epsilon(1e-12));
  CHECK(std::isinf(parts(2)));
  CHECK(std::isinf(parts(3)));
  CHECK(*dirichlet.entropy() == doctest::Approx(-1.4714736114491052).epsilon(1e-12));
}

// Of what is drawn, in units of the deviation of a mean of so many rows.
void check_moments(const Distribution<double>& distribution) {
  constexpr Index rows = 100'000;
  Tape<double> tape;
  Context<double> context;
  context.random = RandomKey(8);
  const Tensor<double> x(distribution.sample(tape, rows, context).value());
  const Tensor<double> mean = distribution.mean().value();
  const Tensor<double> variance = distribution.variance().value();
  for (Index d = 0; d < distribution.dim(); ++d) {
    double sum = 0;
    double squares = 0;
    double fourths = 0;
    for (Index row = 0; row < rows; ++row) {
      const double square = std::pow(x(row, d) - mean(d), 2);
      sum += (x(row, d) - mean(d)) / rows;
      squares += square / rows;
      fourths += square * square / rows;
    }
    CHECK(std::abs(sum) < 4 * std::sqrt(variance(d) / rows));
    CHECK(std::abs(squares - variance(d)) < 4 * std::sqrt((fourths - squares * squares) / rows));
  }
}

TEST_CASE("distributions: joint samples have the moments that are said") {
  for (const Make& make : std::initializer_list<Make>{
           full_normal, low_rank_normal, mixture, product,
           [] {
             return std::make_unique<Dirichlet<double>>(Numbers{1.5, 0.7, 3});
           },
           [] { return std::make_unique<Bernoulli<double>>(0.3); },
           [] {
             return std::make_unique<Categorical<double>>(Numbers{1, 0.5, 2});
           }})
    check_moments(*make());
}

TEST_CASE_TEMPLATE("distributions: no sample reaches an end where its density is infinite", T,
                   float, double) {
  std::vector<std::unique_ptr<Distribution<T>>> all;
  all.push_back(std::make_unique<Gamma<T>>(Numbers{1e-3}, Numbers{1}));
  all.push_back(std::make_unique<Beta<T>>(Numbers{1e-3}, Numbers{1e-3}));
  all.push_back(std::make_unique<Dirichlet<T>>(Numbers{1e-3, 1, 1e-3}));
  all.push_back(std::make_unique<Dirichlet<T>>(Numbers{1e-3, 1e-3, 1e-3}));
  for (const auto& distribution : all) {
    Tape<T> tape;
    Context<T> context;
    const Tensor<T> log_prob(
        distribution->sample_and_log_prob(tape, 1000, context).log_prob.value());
    CHECK(std::all_of(log_prob.storage().begin(), log_prob.storage().end(),
                      [](T value) { return std::isfinite(value); }));
  }
}

TEST_CASE("distributions: correlations of normal samples are those of the covariance") {
  constexpr Index rows = 100'000;
  for (const Make& make : std::initializer_list<Make>{full_normal, low_rank_normal}) {
    const auto normal = make();
    Tape<double> tape;
    Context<double> context;
    const Tensor<double> x(normal->sample(tape, rows, context).value());
    double product = 0;
    for (Index row = 0; row < rows; ++row)
      product += (x(row, 1) - means[1]) * (x(row, 2) - means[2]) / rows;
    // (L L^T)(1, 2), and that of W W^T, by hand.
    const bool is_full = dynamic_cast<const FullNormal<double>*>(normal.get()) != nullptr;
    CHECK(std::abs(product - 0.42) <
          4 * std::sqrt((is_full ? 0.52 * 1.15 : 0.77 * 2.9) + 0.2) / std::sqrt(rows));
  }
}

TEST_CASE("distributions: a mixture's density is the weighted sum of its components'") {
  const auto model = mixture();
  const Tensor<double> x{{0.7, 0.2}, {1.1, 0.6}, {-2, 3}};
  const Tensor<double> a = test::log_prob<double>(DiagonalNormal<double>({0, 1}, {1, 2}), x);
  const Tensor<double> b = test::log_prob<double>(Laplace<double>({3, -1}, {0.5, 1}), x);
  const Tensor<double> c = test::log_prob<double>(Exponential<double>({1, 2}), x);
  const Tensor<double> log_prob = test::log_prob<double>(*model, x);
  const double total = std::exp(0.5) + std::exp(-0.2) + std::exp(0.1);
  for (Index row = 0; row < 3; ++row) {
    const double sum = std::exp(0.5 + a(row)) + std::exp(-0.2 + b(row)) + std::exp(0.1 + c(row));
    CHECK(log_prob(row) == doctest::Approx(std::log(sum / total)).epsilon(1e-13));
  }
  CHECK(!model->entropy());
}

TEST_CASE("distributions: a product's density is the product of its parts'") {
  const auto model = product();
  const Tensor<double> log_prob = test::log_prob<double>(*model, {{0.7, 0.2, 0.35, 1}});
  const double gamma = test::log_prob<double>(Gamma<double>({2.5}, {1.5}), {{0.7}})(0);
  const double normal = test::log_prob<double>(*full_normal(), {{0.2, 0.35, 1}})(0);
  CHECK(log_prob(0) == doctest::Approx(gamma + normal).epsilon(1e-14));
  CHECK(*model->entropy() ==
        doctest::Approx(1.3244828013968901 + 3.235164352082033).epsilon(1e-12));
}

// By scipy 1.17.1, truncnorm.
TEST_CASE("distributions: a truncated normal is that of scipy, also in a far tail") {
  const Truncated<double> model(
      std::make_unique<DiagonalNormal<double>>(Numbers{0.3}, Numbers{0.7}), {1}, {2});
  const Tensor<double> log_prob = test::log_prob<double>(model, {{1.1}, {1.9}, {0.99}, {2.01}});
  CHECK(log_prob(0) == doctest::Approx(0.6746472154580403).epsilon(1e-12));
  CHECK(log_prob(1) == doctest::Approx(-1.284536458011347).epsilon(1e-12));
  CHECK(std::isinf(log_prob(2)));
  CHECK(std::isinf(log_prob(3)));
  CHECK(*model.cdf(0, 1.1) == doctest::Approx(0.21251748873142934).epsilon(1e-12));
  CHECK(*model.cdf(0, 1.9) == doctest::Approx(0.9764603959003991).epsilon(1e-12));
  for (const double sign : {1.0, -1.0}) {
    // 30 deviations out the tail is exponential with rate 30: P(x > 30 + t) / P(x > 30).
    const Truncated<double> far(std::make_unique<DiagonalNormal<double>>(Numbers{0}, Numbers{1}),
                                {sign > 0 ? 30.0 : -1e300}, {sign > 0 ? 1e300 : -30.0});
    const Tail tail = sign > 0 ? Tail::upper : Tail::lower;
    const double exact = std::erfc(30.1 / std::sqrt(2)) / std::erfc(30 / std::sqrt(2));
    CHECK(*far.cdf(0, sign * 30.1, tail) == doctest::Approx(exact).epsilon(1e-12).scale(0));
    CHECK(*far.quantile(0, exact, tail) == doctest::Approx(sign * 30.1).epsilon(1e-13));
  }
  for (const double p : {1e-9, 0.01, 0.5, 0.99}) {
    for (Index column = 0; column < 3; ++column) {
      for (const Tail tail : {Tail::lower, Tail::upper}) {
        const auto wide_one = truncated();
        // Of small parts the bounds' own digits are lost in the difference.
        CHECK(*wide_one->cdf(column, *wide_one->quantile(column, p, tail), tail) ==
              doctest::Approx(p).epsilon(1e-12 + 1e-14 / p).scale(0));
      }
    }
  }
}

TEST_CASE("distributions: a half-line is kept in a model file") {
  // A half-normal distribution.
  Truncated<double> half(std::make_unique<DiagonalNormal<double>>(Numbers{0}, Numbers{2}), {0},
                         {std::numeric_limits<double>::infinity()});
  const auto loaded = model_of<double>(state_of<double>(half));
  const HalfNormal<double> whole({2});
  for (const double x : {0.3, 7.0, 60.0}) {
    const double exact = test::log_prob<double>(whole, {{x}})(0);
    CHECK(test::log_prob<double>(half, {{x}})(0) == doctest::Approx(exact).epsilon(1e-14));
    CHECK(test::log_prob<double>(*loaded, {{x}})(0) == doctest::Approx(exact).epsilon(1e-14));
  }
}

TEST_CASE("distributions: choices have their probabilities, and other numbers none") {
  const Categorical<double> choice({1, 0, 3});
  const Tensor<double> log_prob = test::log_prob<double>(choice, {{0}, {1}, {2}, {3}, {-1}, {0.5}});
  CHECK(log_prob(0) == doctest::Approx(std::log(0.25)));
  CHECK(log_prob(2) == doctest::Approx(std::log(0.75)));
  for (const Index row : {1, 3, 4, 5})
    CHECK(log_prob(row) == -std::numeric_limits<double>::infinity());
  CHECK(*choice.entropy() == doctest::Approx(-0.25 * std::log(0.25) - 0.75 * std::log(0.75)));
  CHECK(*Bernoulli<double>(1).entropy() == 0);
}

TEST_CASE("distributions: what does not fit is refused") {
  // Numbers of any size can be read in the message.
  CHECK_THROWS_WITH_AS(DiagonalNormal<float>(Numbers{0}, Numbers{1e-60}),
                       doctest::Contains("got 1e-60"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(DiagonalNormal<float>(Numbers{1e60}, Numbers{1}),
                       doctest::Contains("got 1e+60"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(FullNormal<double>({1, 2}, {1, 0}), doctest::Contains("3 numbers"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(FullNormal<double>({1, 2}, {1, 0, -1}), doctest::Contains("positive"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(LowRankNormal<double>({1, 2}, {1, 1}, {1, 2, 3}),
                       doctest::Contains("multiple of 2"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(LowRankNormal<double>({1, 2}, {1, 0}, {1, 2}), doctest::Contains("positive"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Dirichlet<double>({1}), doctest::Contains("2 numbers"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Bernoulli<double>(1.5), doctest::Contains("from 0 to 1"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Categorical<double>({1, -1}), doctest::Contains("negative"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Categorical<double>({0, 0}), doctest::Contains("sum"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Mixture<double>(Distributions{}), doctest::Contains("at least one"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Product<double>(Distributions{}), doctest::Contains("at least one"),
                       std::invalid_argument);
  Distributions unequal;
  unequal.push_back(std::make_unique<Bernoulli<double>>(0.5));
  unequal.push_back(full_normal());
  CHECK_THROWS_WITH_AS(Mixture<double>(std::move(unequal)), doctest::Contains("1 and 3"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      Truncated<double>(std::make_unique<VonMises<double>>(Numbers{0}, Numbers{1}), {0}, {1}),
      doctest::Contains("closed form"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      Truncated<double>(std::make_unique<Exponential<double>>(Numbers{1}), {-2}, {-1}),
      doctest::Contains("some probability"), std::invalid_argument);
  // One number in single precision.
  CHECK_THROWS_WITH_AS(
      Truncated<float>(std::make_unique<DiagonalNormal<float>>(Numbers{0}, Numbers{1}), {1},
                       {1 + 1e-12}),
      doctest::Contains("some probability"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
