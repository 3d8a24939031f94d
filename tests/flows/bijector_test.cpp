#include "fjord/flows/bijector.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::FlowCheck;
using test::numerics;

using Blocks = std::vector<std::unique_ptr<Bijector<double>>>;

/// f(z) = z log 2 in one dimension or more.
std::unique_ptr<Bijector<double>> doubling() {
  const FfjordOptions options{.solver = numerics(1e-10)};
  return std::make_unique<Ffjord<double>>(
      [](const Var<double>&, const Var<double>& z) { return z * std::log(2.0); },
      nn::NamedParameters<double>{}, options);
}

/// f = 1: a shift by 1.
std::unique_ptr<Bijector<double>> shift() {
  return std::make_unique<Ffjord<double>>(
      [](const Var<double>&, const Var<double>& z) { return z * 0.0 + 1.0; },
      nn::NamedParameters<double>{});
}

FlowSettings with(const std::function<void(FlowSettings&)>& change) {
  FlowSettings settings = test::small_settings();
  change(settings);
  return settings;
}

void check(const Bijector<double>& flow, const nn::NamedParameters<double>& parameters, Index dim) {
  const FlowCheck check = test::check_flow(flow, parameters, test::normals({5, dim}, 8));
  CHECK(check.inverse < 1e-7);
  CHECK(check.log_det < 1e-8);
  CHECK(check.trace_free < 1e-8);
  CHECK(check.without_gradient.empty());
}

TEST_CASE("bijector: every flow is invertible, knows its determinant and trains all parameters") {
  struct FlowCase {
    const char* name;
    FlowSettings settings;
  };

  const std::vector<FlowCase> cases{
      {"one block", with([](FlowSettings& s) { s.blocks = 1; })},
      {"a chain", with([](FlowSettings& s) { s.blocks = 3; })},
      {"three dimensions", with([](FlowSettings& s) { s.dim = 3; })},
      {"one dimension", with([](FlowSettings& s) { s.dim = 1; })},
      {"another span", with([](FlowSettings& s) { s.t0 = 0.4, s.t1 = 1.7; })},
      {"backwards", with([](FlowSettings& s) { s.t0 = 1, s.t1 = -0.5; })},
      {"time as one column", with([](FlowSettings& s) { s.time_input = nn::TimeInput::concat; })},
      {"softplus", with([](FlowSettings& s) { s.activation = "softplus"; })}};
  for (const FlowCase& c : cases) {
    CAPTURE(c.name);
    const auto model = test::random_model<double>(c.settings, numerics(1e-10), 3);
    check(model->bijector(), nn::parameters_of(*model), c.settings.dim);
  }
}

TEST_CASE("bijector: every route, company, precision and the file agree") {
  const auto block = [](const RandomKey& key, Index given) {
    auto network = std::make_unique<nn::Mlp<double>>(std::vector<Index>{4 + given, 5, 2},
                                                     nn::activation_named<double>("tanh"), key);
    return std::make_unique<Ffjord<double>>(
        std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::repeat, given),
        FfjordOptions{.solver = numerics(1e-11)});
  };
  const auto chain = [&](const RandomKey& key) {
    Blocks parts;
    parts.push_back(block(key, 0));
    parts.push_back(std::make_unique<Inverse<double>>(block(key.fold(1), 3)));
    return std::make_unique<Chain<double>>(std::move(parts));
  };
  test::check_bijector({.name = "a conditional chain",
                        .make = chain,
                        .x = test::normals({3, 2}, 8),
                        .given = test::normals({3, 3}, 9),
                        .tolerance = 1e-7});
}

TEST_CASE("bijector: an inverted flow is a flow") {
  Parameter<double> w(Tensor<double>{{0.4, -0.9}, {0.7, 0.2}});
  const ode::Field<double> field = [&](const Var<double>& t, const Var<double>& z) {
    return tanh(matmul(z, t.tape().bind(w))) * cos(t);
  };
  const FfjordOptions options{.solver = numerics(1e-10)};
  const nn::NamedParameters<double> parameters{{"w", &w}};
  const Inverse<double> flow(std::make_unique<Ffjord<double>>(field, parameters, options));
  check(flow, parameters, 2);
}

TEST_CASE("bijector: the helper sees a wrong determinant, a wrong inverse and an idle parameter") {
  /// y = 2 x with the log-determinant, the inverse and a parameter of something else.
  class Wrong final : public Bijector<double> {
   public:
    Var<double> forward(const Var<double>& x, Context<double>&) const override { return x * 2.0; }

    Var<double> inverse(const Var<double>& y, Context<double>&) const override { return y * 0.4; }

    WithLogDet<double> forward_with_log_det(const Var<double>& x,
                                            Context<double>& context) const override {
      return {forward(x, context), sum(x * 0.0, {1})};
    }

    WithLogDet<double> inverse_with_log_det(const Var<double>& y,
                                            Context<double>& context) const override {
      return {inverse(y, context) + 1.0, sum(y * 0.0, {1})};
    }

    nn::Description<double> describe() override {
      return nn::Description<double>("wrong").parameter("idle", idle_);
    }

   private:
    Parameter<double> idle_{Tensor<double>(1.0)};
  };

  Wrong wrong;
  const FlowCheck check =
      test::check_flow(wrong, nn::parameters_of(wrong), Tensor<double>{{1, -2}, {0.5, 3}});
  CHECK(check.inverse == doctest::Approx(1.2));
  CHECK(check.log_det == doctest::Approx(-2 * std::log(0.4)));
  CHECK(check.trace_free == doctest::Approx(1));
  CHECK(check.without_gradient == std::vector<std::string>{"idle"});
}

TEST_CASE("bijector: determinants by elimination are those of the formula") {
  CHECK(test::log_abs_det({{0, 2}, {-3, 1}}) == doctest::Approx(std::log(6)));
  CHECK(test::log_abs_det({{1, 2, 3}, {4, 5, 6}, {7, 8, 10}}) == doctest::Approx(std::log(3)));
}

TEST_CASE("bijector: a chain runs its first block first, and back through its last") {
  Blocks blocks;
  blocks.push_back(shift());
  blocks.push_back(doubling());
  const Chain<double> chain(std::move(blocks));
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input(Tensor<double>{{3, -1, 0}});
  const WithLogDet<double> y = chain.forward_with_log_det(x, context);
  CHECK(test::worst_difference(Tensor<double>(y.value.value()), {{8, 0, 2}}) < 1e-8);
  CHECK(y.log_det.item() == doctest::Approx(3 * std::log(2)));
  const WithLogDet<double> back = chain.inverse_with_log_det(x, context);
  CHECK(test::worst_difference(Tensor<double>(back.value.value()), {{0.5, -1.5, -1}}) < 1e-8);
  CHECK(back.log_det.item() == doctest::Approx(-3 * std::log(2)));
}

TEST_CASE("bijector: the inverse exchanges the maps and the signs") {
  const Inverse<double> halving(doubling());
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input(Tensor<double>{{3, -1}});
  CHECK(test::worst_difference(Tensor<double>(halving.forward(x, context).value()), {{1.5, -0.5}}) <
        1e-8);
  CHECK(halving.forward_with_log_det(x, context).log_det.item() ==
        doctest::Approx(-2 * std::log(2)));
  CHECK(halving.inverse_with_log_det(x, context).log_det.item() ==
        doctest::Approx(2 * std::log(2)));
}

TEST_CASE("bijector: a chain names its parameters by block, in order") {
  auto model = make_flow<double>(test::small_settings(), numerics(1e-3), RandomKey(0));
  std::vector<std::string> names;
  for (const auto& p : nn::parameters_of(*model)) names.push_back(p.name);
  REQUIRE(names.size() == 12);
  CHECK(names.front() == "bijector.parts.0.field.network.layers.0.weight");
  CHECK(names.back() == "bijector.parts.1.field.network.layers.2.bias");
}

TEST_CASE("bijector: an empty chain is refused") {
  CHECK_THROWS_WITH_AS(Chain<double>(Blocks{}), doctest::Contains("at least one"),
                       std::invalid_argument);
}

TEST_CASE("bijector: a failure names its block, in both directions") {
  for (const std::size_t broken : {0U, 1U}) {
    Blocks blocks;
    for (const std::size_t k : {0U, 1U}) {
      blocks.push_back(
          k == broken ? std::make_unique<Ffjord<double>>(
                            [](const Var<double>&, const Var<double>& z) { return z / (z * 0.0); },
                            nn::NamedParameters<double>{})
                      : shift());
    }
    const Chain<double> chain(std::move(blocks));
    const std::string block = "block " + std::to_string(broken) + ": ";
    Tape<double> tape;
    Context<double> context;
    const Var<double> x = tape.input(Tensor<double>{{3, -1}});
    CHECK_THROWS_WITH_AS(chain.forward(x, context), doctest::Contains(block.c_str()),
                         ode::SolveFailure);
    CHECK_THROWS_WITH_AS(chain.inverse(x, context), doctest::Contains(block.c_str()),
                         ode::SolveFailure);
    CHECK_THROWS_WITH_AS(chain.forward_with_log_det(x, context), doctest::Contains(block.c_str()),
                         ode::SolveFailure);
    CHECK_THROWS_WITH_AS(chain.inverse_with_log_det(x, context), doctest::Contains(block.c_str()),
                         ode::SolveFailure);
  }
}

}  // namespace
}  // namespace fjord::flows
