#include "fjord/flows/residual_flow.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/contraction_root.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

// A flow whose weights are all far above its bound.
std::unique_ptr<ResidualFlow<double>> strong_flow(const ResidualFlowSettings& settings) {
  auto flow = std::make_unique<ResidualFlow<double>>(settings, RandomKey(3));
  std::uint64_t seed = 0;
  for (const nn::NamedParameter<double>& p : nn::parameters_of(*flow)) {
    RandomKey(4).fold(++seed).normal(p.parameter->mutable_values());
    for (double& w : p.parameter->mutable_values()) w *= 2;
  }
  return flow;
}

TEST_CASE("residual_flow: it is a bijector") {
  for (const Index dim : {1, 2, 3}) {
    test::check_bijector({.name = "residual_flow",
                          .make =
                              [&](const RandomKey& key) {
                                return std::make_unique<ResidualFlow<double>>(
                                    ResidualFlowSettings{.dim = dim, .network = {{6, 5}}}, key);
                              },
                          .x = test::normals({4, dim}, 8),
                          .tolerance = 1e-7});
  }
  test::check_bijector(
      {.name = "residual_flow of given numbers",
       .make =
           [&](const RandomKey& key) {
             return std::make_unique<ResidualFlow<double>>(
                 ResidualFlowSettings{.exact_columns = 0, .network = {{6}, "silu", 2}}, key);
           },
       .x = test::normals({4, 2}, 8),
       .given = test::normals({4, 2}, 9),
       .tolerance = 1e-7});
}

TEST_CASE("contraction_root: a row without a root costs the others nothing") {
  // x + x / 2 = z, with a bound of the constant that is far too large.
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto calls_for = [](double number) {
    Tape<double> tape;
    int calls = 0;
    const RowMap<double> half = [&](const Var<double>& x) {
      ++calls;
      return x * 0.5;
    };
    const Var<double> z = tape.input(Tensor<double>{{1.0, 2.0}, {number, 3.0}, {-6.0, 0.0}});
    const Tensor<double> x(contraction_root(half, z, 0.99).value());
    for (const Index i : {0, 2, 3, 5})
      CHECK(x.data()[i] == doctest::Approx(z.value().data()[i] / 1.5).epsilon(1e-14));
    for (const Index i : {1, 4}) CHECK(std::isnan(x.data()[i]) == std::isnan(number));
    return calls;
  };
  CHECK(calls_for(nan) == calls_for(1));
}

TEST_CASE("residual_flow: so is the flow of a field with a spectral norm") {
  test::check_bijector(
      {.name = "ffjord with a Lipschitz bound",
       .make =
           [](const RandomKey& key) {
             auto network = std::make_unique<nn::Mlp<double>>(
                 std::vector<Index>{3, 6, 2}, nn::activation_named<double>("tanh"), key, 0.5);
             return std::make_unique<Ffjord<double>>(
                 std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::concat),
                 FfjordOptions{.solver = test::numerics(1e-12)});
           },
       .x = test::normals({4, 2}, 8),
       .tolerance = 1e-8});
}

TEST_CASE("residual_flow: without hidden layers it is affine, and its slopes have the bound") {
  ResidualFlow<double> flow({.dim = 2, .lipschitz = 0.8, .network = {{}}}, RandomKey(1));
  const auto parameters = nn::parameters_of(flow);
  // Singular values 3 and 0.5 become 0.8 and 0.8 / 6: their Schatten norm is 3 to the last digit.
  std::ranges::copy(std::vector<double>{-3, 0, 0, 0.5},
                    parameters[0].parameter->mutable_values().begin());
  std::ranges::copy(std::vector<double>{0.1, 0.2},
                    parameters[1].parameter->mutable_values().begin());
  Tape<double> tape;
  Context<double> context;
  const WithLogDet<double> x = flow.inverse_with_log_det(tape.input({{1, 2}}), context);
  const Tensor<double> value(x.value.value());
  CHECK(value(0, 0) == doctest::Approx(0.2 + 0.1).epsilon(1e-14));
  CHECK(value(0, 1) == doctest::Approx(2 * (1 + 0.8 / 6) + 0.2).epsilon(1e-14));
  CHECK(x.log_det.item() == doctest::Approx(std::log(0.2 * (1 + 0.8 / 6))).epsilon(1e-13));
  const WithLogDet<double> back = flow.forward_with_log_det(x.value, context);
  CHECK(test::worst_difference(Tensor<double>(back.value.value()), {{1, 2}}) < 1e-13);
  CHECK(back.log_det.item() == doctest::Approx(-x.log_det.item()).epsilon(1e-13));
}

TEST_CASE("residual_flow: strong ones are inverted, and rows that cannot be are not numbers") {
  for (const double lipschitz : {0.3, 0.9, 0.999}) {
    const auto flow = strong_flow({.dim = 3, .lipschitz = lipschitz, .network = {{16, 16}}});
    Tensor<double> x = test::normals({40, 3}, 8, 3.0);
    x(7, 1) = std::numeric_limits<double>::quiet_NaN();
    x(8, 2) = std::numeric_limits<double>::infinity();
    Tape<double> tape;
    Context<double> context;
    const WithLogDet<double> y = flow->forward_with_log_det(tape.input(x), context);
    const Tensor<double> back(flow->inverse(y.value, context).value());
    for (Index row = 0; row < 40; ++row) {
      CAPTURE(row);
      if (row == 7 || row == 8) {
        for (Index d = 0; d < 3; ++d) CHECK(std::isnan(back(row, d)));
        CHECK(std::isnan(y.log_det.value()(row)));
      } else {
        CHECK(std::isfinite(y.log_det.value()(row)));
        for (Index d = 0; d < 3; ++d)
          CHECK(back(row, d) == doctest::Approx(x(row, d)).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("residual_flow: in training, estimates and their derivatives have the right means") {
  const auto flow = strong_flow({.dim = 4, .exact_columns = 0, .network = {{8}}});
  const Tensor<double> at = test::normals({3, 4}, 8);
  const auto sum_and_slope = [&](ode::ErrorNorm norm, std::uint64_t key) {
    Tape<double> tape;
    Context<double> context{.norm = norm, .random = RandomKey(key)};
    const Var<double> y = tape.input(at);
    const Var<double> total = sum(flow->inverse_with_log_det(y, context).log_det);
    const auto slopes = gradient_values<double>(total, {y});
    return std::array{total.item(), slopes[0](1, 2)};
  };
  const std::array exact = sum_and_slope(ode::ErrorNorm::largest_row, 0);
  constexpr int draws = 20000;
  for (const std::size_t k : {0U, 1U}) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < draws; ++i) {
      const double value =
          sum_and_slope(ode::ErrorNorm::rms, static_cast<std::uint64_t>(i) + 1)[k] - exact[k];
      sum += value / draws;
      squares += value * value / draws;
    }
    const double error = std::sqrt(squares / draws);
    CHECK(std::abs(sum) < 4 * error);
    CHECK(error < 0.05 * std::abs(exact[k]));  // so that a missing term would show
  }
  // Rows of few columns have nothing estimated.
  const auto narrow = strong_flow({.dim = 4, .network = {{8}}});
  Tape<double> tape;
  Context<double> training{.norm = ode::ErrorNorm::rms};
  CHECK(sum(narrow->inverse_with_log_det(tape.input(at), training).log_det).item() == exact[0]);
}

TEST_CASE("residual_flow: settings out of their range, and rows of another width, are refused") {
  const auto make = [](const ResidualFlowSettings& settings) {
    ResidualFlow<double>(settings, RandomKey(1));
  };
  CHECK_THROWS_AS(make({.dim = 0}), std::invalid_argument);
  CHECK_THROWS_AS(make({.exact_columns = -1}), std::invalid_argument);
  CHECK_THROWS_AS(make({.network = {.given = -1}}), std::invalid_argument);
  for (const double lipschitz : {0.0, 1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(make({.lipschitz = lipschitz}), std::invalid_argument);
  const ResidualFlow<double> flow({.dim = 2}, RandomKey(1));
  Tape<double> tape;
  Context<double> context;
  CHECK_THROWS_AS(flow.forward(tape.input(Tensor<double>::zeros({1, 3})), context),
                  std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
