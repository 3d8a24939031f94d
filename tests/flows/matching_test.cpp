#include "fjord/flows/matching.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/flows/assignment.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;

TEST_CASE("matching: an assignment of six rows is the best of all 720 permutations") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Tensor<double> draws = normals({6, 6}, seed);
    std::vector<double> cost(36);
    for (std::size_t i = 0; i < 36; ++i)
      cost[i] = std::round(10 * draws.storage()[i]);  // some are equal
    const auto total = [&](const std::vector<Index>& p) {
      double sum = 0;
      for (std::size_t i = 0; i < 6; ++i) sum += cost[i * 6 + static_cast<std::size_t>(p[i])];
      return sum;
    };
    std::vector<Index> p(6);
    std::iota(p.begin(), p.end(), Index{0});
    double best = HUGE_VAL;
    do best = std::min(best, total(p));
    while (std::next_permutation(p.begin(), p.end()));
    std::vector<Index> found = optimal_assignment(cost, 6);
    CHECK(total(found) == best);
    std::ranges::sort(found);
    CHECK(found == p);  // a permutation: the last one is sorted again
  }
}

TEST_CASE("matching: the velocities are the derivatives of the paths, which end in base and data") {
  for (const MatchingPath& path : matching_paths()) {
    CAPTURE(std::string(path.name));
    CHECK(&matching_path_named(path.name) == &path);
    for (const double k : {0.0, 0.3}) {
      for (const double s : {0.1, 0.5, 0.9}) {
        constexpr double h = 1e-6;
        const MatchingPath::Point p = path.at(s, k);
        const MatchingPath::Point before = path.at(s - h, k);
        const MatchingPath::Point after = path.at(s + h, k);
        CHECK(p.da == doctest::Approx((after.a - before.a) / (2 * h)).epsilon(1e-8));
        CHECK(p.db == doctest::Approx((after.b - before.b) / (2 * h)).epsilon(1e-8));
        CHECK(p.dc == doctest::Approx((after.c - before.c) / (2 * h)).epsilon(1e-8));
      }
      CHECK(path.at(0, k).a == 1);
      CHECK(path.at(0, k).b == 0);
      CHECK(path.at(1, k).b == doctest::Approx(1).epsilon(1e-15));
      CHECK(path.at(1, k).a == doctest::Approx(path.name == "target" ? k : 0).epsilon(1e-15));
    }
  }
  // The bridge's velocity as it is published: (1 - 2 s) / (2 s (1 - s)) (x - mean) + x1 - x0.
  const MatchingPath::Point bridge = matching_path_named("schrodinger_bridge").at(0.2, 0.7);
  CHECK(bridge.c == doctest::Approx(0.7 * std::sqrt(0.16)).epsilon(1e-14));
  CHECK(bridge.dc == doctest::Approx(0.6 / 0.32 * bridge.c).epsilon(1e-14));
  CHECK_THROWS_WITH_AS(matching_path_named("straight"), doctest::Contains("target"),
                       std::invalid_argument);
}

/// The loss of 40 rows, all at 1.5, under a field.
double loss(const ode::Field<double>& field, const char* path, double scale) {
  const TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                               std::vector<double>{1, 1}),
      std::make_unique<Ffjord<double>>(field, nn::NamedParameters<double>{}));
  const FlowMatching<double> matching({&matching_path_named(path), scale});
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input(Tensor<double>::full({40, 2}, 1.5));
  const Tensor<double> rows(matching.of_rows(model, x, context).value());
  CHECK(rows.shape() == Shape{40});
  CHECK(context.evaluations == 1);
  return *std::ranges::max_element(rows.storage());
}

TEST_CASE("matching: with data in one point, the known velocity field loses nothing") {
  using V = Var<double>;
  CHECK(loss([](const V& t, const V& x) { return (1.5 - x) / (1.0 - t); }, "independent", 0) <
        1e-18);
  CHECK(loss([](const V& t, const V& x) { return (1.5 - x) / (1.0 - t); }, "optimal_transport", 0) <
        1e-18);
  CHECK(loss([](const V& t, const V& x) { return (1.5 - x * 0.8) / (1.0 - t * 0.8); }, "target",
             0.2) < 1e-18);
  const auto variance = [](const V& t, const V& x) {
    const V angle = t * (std::numbers::pi / 2);
    const V base = (x - sin(angle) * 1.5) / cos(angle);
    return (cos(angle) * 1.5 - sin(angle) * base) * (std::numbers::pi / 2);
  };
  CHECK(loss(variance, "variance_preserving", 0) < 1e-18);
  CHECK(loss(variance, "independent", 0) > 0.1);
}

TEST_CASE("matching: a coupled path pairs base and data points") {
  // Data at -3 and 3: the best pairs are those of equal order, whose velocities are bounded.
  const auto mean_loss = [](const char* path) {
    const TransformedDistribution<double> model(
        std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
        std::make_unique<Ffjord<double>>(
            [](const Var<double>&, const Var<double>& x) { return x * 0.0; },
            nn::NamedParameters<double>{}));
    const FlowMatching<double> matching({&matching_path_named(path), 0});
    Tensor<double> x = Tensor<double>::zeros({200, 1});
    for (Index i = 0; i < 200; ++i) x(i, 0) = i % 2 == 0 ? -3 : 3;
    Tape<double> tape;
    Context<double> context;
    const Tensor<double> rows(matching.of_rows(model, tape.input(x), context).value());
    double sum = 0;
    for (const double value : rows.storage()) sum += value / 200;
    return sum;
  };
  // E (x1 - x0)^2 = 9 + 1 - 6 E|x0| for the sorted pairs, E|x0| = sqrt(2 / pi), and 10 for others.
  CHECK(mean_loss("independent") == doctest::Approx(10).epsilon(0.1));
  CHECK(mean_loss("optimal_transport") ==
        doctest::Approx(10 - 6 * std::sqrt(2 / std::numbers::pi)).epsilon(0.1));
}

TEST_CASE("matching: a trained field carries the base to the data") {
  // Rows of N((2, -1), diag(0.5, 1.5)^2): no model can have less than their entropy.
  Tensor<double> x = normals({2048, 2}, 3);
  for (Index i = 0; i < 2048; ++i) {
    x(i, 0) = 2 + 0.5 * x(i, 0);
    x(i, 1) = -1 + 1.5 * x(i, 1);
  }
  const auto model = make_flow<double>({.dim = 2, .blocks = 1, .hidden = {32}, .base_scale = 1},
                                       test::numerics(1e-5), RandomKey(1));
  Workers workers(2);
  FitOptions<double> first{.epochs = 25, .batch = 256, .rate = 1e-2};
  first.loss = std::make_shared<FlowMatching<double>>(
      FlowMatchingOptions{&matching_path_named("optimal_transport"), 0});
  const TableRows<double> rows(x);
  const double entropy =
      std::log(2 * std::numbers::pi * std::numbers::e) + std::log(0.5) + std::log(1.5);
  const auto nll = [&] {
    double sum = 0;
    for (const double value : test::log_prob<double>(*model, x).to_vector()) sum -= value / 2048;
    return sum;
  };
  CHECK(nll() > entropy + 2);
  fit<double>(*model, rows, nullptr, workers, first);
  const double matched = nll();
  CHECK(matched < entropy + 0.15);
  // Fine tuning by likelihood starts there.
  FitOptions<double> second{.epochs = 2, .batch = 256, .rate = 2e-3};
  const std::vector<FitReport> reports =
      fit_stages<double>(*model, rows, nullptr, workers, std::array{first, second});
  REQUIRE(reports.size() == 2);
  CHECK(reports[1].curve.back().loss < entropy + 0.06);
}

TEST_CASE("matching: models without one continuous flow are refused") {
  const auto refuses = [](Distribution<double>& model, const char* part) {
    Tape<double> tape;
    Context<double> context;
    const Var<double> x = tape.input(Tensor<double>::zeros({3, 2}));
    CHECK_THROWS_WITH_AS(FlowMatching<double>().of_rows(model, x, context), doctest::Contains(part),
                         std::invalid_argument);
  };
  DiagonalNormal<double> normal(std::vector<double>{0, 0}, std::vector<double>{1, 1});
  refuses(normal, "has no Ffjord");
  refuses(*make_flow<double>(test::small_settings(), {}, RandomKey(1)), "several Ffjord");
  CHECK_THROWS_WITH_AS(FlowMatching<double>({&matching_path_named("target"), -1}),
                       doctest::Contains("scale must not be negative"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
