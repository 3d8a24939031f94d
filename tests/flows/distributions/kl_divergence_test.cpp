#include "fjord/flows/distributions/kl_divergence.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/flows.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using Columns = IndependentColumns<double>;
using Numbers = std::vector<double>;

/// The expected log p - log q under p, by the trapezoidal rule in the normal quantile of cdf(x).
double quadrature(const Columns& p, const Columns& q) {
  const DiagonalNormal<double> normal({0}, {1});
  constexpr Index points = 641;
  constexpr Index middle = 320;
  constexpr double h = 0.025;
  Tensor<double> x = Tensor<double>::zeros({points, 1});
  for (Index i = 0; i < points; ++i) {
    const double z = h * static_cast<double>(i - middle);
    const Tail tail = z < 0 ? Tail::lower : Tail::upper;
    x(i, 0) = *p.quantile(0, *normal.cdf(0, z, tail), tail);
  }
  const Tensor<double> of_p = test::log_prob<double>(p, x);
  const Tensor<double> of_q = test::log_prob<double>(q, x);
  double sum = 0;
  for (Index i = 0; i < points; ++i) {
    const double z = h * static_cast<double>(i - middle);
    const double weight = h * std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
    sum += weight * (of_p(i) - of_q(i));
  }
  return sum;
}

template <class P, class Q>
void check(const P& p, const Q& q, double tolerance = 1e-8) {
  CHECK(*kl_divergence<double>(p, q) == doctest::Approx(quadrature(p, q)).epsilon(tolerance));
  CHECK(std::abs(*kl_divergence<double>(p, p)) < 1e-15);
}

TEST_CASE("kl_divergence: columns have that of a quadrature") {
  check(DiagonalNormal<double>({0.3}, {0.7}), DiagonalNormal<double>({-0.5}, {1.2}));
  check(LogNormal<double>({0.3}, {0.7}), LogNormal<double>({-0.5}, {1.2}));
  check(HalfNormal<double>({0.7}), HalfNormal<double>({1.2}));
  check(Gamma<double>({2.5}, {1.5}), Gamma<double>({1.2}, {0.4}));
  check(Exponential<double>({1.5}), Exponential<double>({0.4}));
  check(Beta<double>(
            {
                2.5,
            },
            {3.7}),
        Beta<double>({1.2}, {2.4}));
  check(Uniform<double>({0.2}, {0.7}), Uniform<double>({-0.5}, {1.2}));
  check(Cauchy<double>({0.3}, {0.7}), Cauchy<double>({-0.5}, {1.2}));
  // The integrands have a kink.
  check(Laplace<double>({0.3}, {0.7}), Laplace<double>({-0.5}, {1.2}), 1e-4);
  const Gamma<double> gamma({2.5}, {1.5});
  const Exponential<double> exponential({0.4});
  CHECK(*kl_divergence<double>(gamma, exponential) ==
        doctest::Approx(quadrature(gamma, exponential)).epsilon(1e-8));
  CHECK(*kl_divergence<double>(exponential, gamma) ==
        doctest::Approx(quadrature(exponential, gamma)).epsilon(1e-8));
}

TEST_CASE("kl_divergence: of several columns it is the sum") {
  const Laplace<double> p({0.3, 1}, {0.7, 2});
  const Laplace<double> q({-0.5, 2}, {1.2, 1});
  const double first =
      *kl_divergence<double>(Laplace<double>({0.3}, {0.7}), Laplace<double>({-0.5}, {1.2}));
  const double second =
      *kl_divergence<double>(Laplace<double>({1}, {2}), Laplace<double>({2}, {1}));
  CHECK(*kl_divergence<double>(p, q) == doctest::Approx(first + second).epsilon(1e-14));
}

TEST_CASE("kl_divergence: of von Mises angles it is that of a sum over the circle") {
  const VonMises<double> p({0.3}, {1.7});
  for (const double concentration : {0.4, 80.0}) {
    const VonMises<double> q({-2.5}, {concentration});
    constexpr Index points = 200;
    Tensor<double> x = Tensor<double>::zeros({points, 1});
    const double h = 2 * std::numbers::pi / points;
    for (Index i = 0; i < points; ++i)
      x(i, 0) = h * (static_cast<double>(i) + 0.5) - std::numbers::pi;
    const Tensor<double> of_p = test::log_prob<double>(p, x);
    const Tensor<double> of_q = test::log_prob<double>(q, x);
    double sum = 0;
    for (Index i = 0; i < points; ++i) sum += h * std::exp(of_p(i)) * (of_p(i) - of_q(i));
    CHECK(*kl_divergence<double>(p, q) == doctest::Approx(sum).epsilon(1e-12));
  }
}

// By numpy 2, from inverses and determinants of the covariances.
TEST_CASE("kl_divergence: all kinds of normals have it of each other") {
  const FullNormal<double> full({0.3, -1, 2}, {1.2, -0.4, 0.6, 0.3, 0.9, 0.5});
  const LowRankNormal<double> low_rank({0, 0.5, 1}, {0.5, 0.25, 2},
                                       {1.2, 0.1, -0.4, 0.6, 0.3, 0.9});
  const DiagonalNormal<double> diagonal({1, -1, 0.5}, {0.5, 2, 1});
  CHECK(*kl_divergence<double>(full, low_rank) ==
        doctest::Approx(3.2364554739665996).epsilon(1e-12));
  CHECK(*kl_divergence<double>(low_rank, full) ==
        doctest::Approx(25.311297026502285).epsilon(1e-12));
  CHECK(*kl_divergence<double>(full, diagonal) ==
        doctest::Approx(5.146651247531981).epsilon(1e-12));
  CHECK(*kl_divergence<double>(diagonal, full) ==
        doctest::Approx(31.887546283332195).epsilon(1e-12));
}

TEST_CASE("kl_divergence: two parts of a whole have that of beta distributions") {
  const double of_betas =
      *kl_divergence<double>(Beta<double>({2.5}, {0.7}), Beta<double>({1.2}, {2.4}));
  CHECK(*kl_divergence<double>(Dirichlet<double>({2.5, 0.7}), Dirichlet<double>({1.2, 2.4})) ==
        doctest::Approx(of_betas).epsilon(1e-12));
}

TEST_CASE("kl_divergence: choices have the sum of the formula") {
  const double exact = 0.3 * std::log(0.3 / 0.6) + 0.7 * std::log(0.7 / 0.4);
  CHECK(*kl_divergence<double>(Bernoulli<double>(0.3), Bernoulli<double>(0.6)) ==
        doctest::Approx(exact).epsilon(1e-14));
  CHECK(*kl_divergence<double>(Categorical<double>({7, 3, 0}), Categorical<double>({0.4, 0.6})) ==
        doctest::Approx(exact).epsilon(1e-14));
}

TEST_CASE("kl_divergence: it is infinite beyond a support, and nothing without a closed form") {
  CHECK(std::isinf(*kl_divergence<double>(Uniform<double>({0}, {2}), Uniform<double>({0}, {1}))));
  CHECK(std::isinf(
      *kl_divergence<double>(Categorical<double>({1, 1, 1}), Categorical<double>({1, 1}))));
  CHECK(!kl_divergence<double>(Logistic<double>({0}, {2}), Logistic<double>({0}, {1})));
  CHECK(!kl_divergence<double>(Laplace<double>({0}, {2}), Cauchy<double>({0}, {1})));
  CHECK_THROWS_WITH_AS(
      kl_divergence<double>(Bernoulli<double>(0.5), Uniform<double>({0, 0}, {2, 2})),
      doctest::Contains("1 and 2"), std::invalid_argument);
}

TEST_CASE("kl_divergence: of products it is the sum over the parts") {
  const auto product = [](double rate, std::unique_ptr<Distribution<double>> second) {
    std::vector<std::unique_ptr<Distribution<double>>> parts;
    parts.push_back(std::make_unique<Exponential<double>>(Numbers{rate}));
    parts.push_back(std::move(second));
    return Product<double>(std::move(parts));
  };
  const auto laplace = [](double scale) {
    return std::make_unique<Laplace<double>>(Numbers{0}, Numbers{scale});
  };
  // log(2) - 1 + 1/2 for rates 2 and 1, and 2 - 1 - log 2 for scales 2 and 1.
  CHECK(*kl_divergence<double>(product(2, laplace(2)), product(1, laplace(1))) ==
        doctest::Approx(std::log(2) - 0.5 + 1 - std::log(2)).epsilon(1e-14));
  CHECK(!kl_divergence<double>(product(2, laplace(2)),
                               product(1, std::make_unique<Bernoulli<double>>(0.5))));
}

}  // namespace
}  // namespace fjord::flows
