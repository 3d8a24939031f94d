/// What scoring and sampling promise beyond training: every row's accuracy, bounded memory, and no
/// derivatives unless they are asked for.
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::numerics;
using test::worst_difference;

using Model = std::unique_ptr<TransformedDistribution<double>>;

/// A model whose weights are large, so that rows differ in how hard they are.
Model steep_model(double tolerance, Trace trace = Trace::exact) {
  Model model = test::random_model<double>(test::small_settings(), numerics(tolerance, trace));
  for (const auto& p : nn::parameters_of(*model)) {
    for (double& w : p.parameter->mutable_values()) w *= 2.5;
  }
  return model;
}

TEST_CASE("scoring: a row in company is no further off than by itself") {
  Tensor<double> data = normals({128, 2}, 6);
  data(5, 0) = 4;
  const Model model = steep_model(1e-6);
  Workers workers(1);
  ShardedModel<double> together(*model, workers, 128);
  ShardedModel<double> alone(*model, workers, 1);
  const Tensor<double> exact = test::log_prob<double>(*steep_model(1e-12), data);
  const double in_company = worst_difference(together.log_prob(data, RandomKey(1)).values, exact);
  const double on_its_own = worst_difference(alone.log_prob(data, RandomKey(1)).values, exact);
  CAPTURE(on_its_own);
  CHECK(in_company <= 1.5 * on_its_own);
  const Tensor<double> samples = together.sample(128, RandomKey(2)).values;
  const Tensor<double> exact_samples = [&] {
    const Model exact_model = steep_model(1e-12);
    ShardedModel<double> sharded(*exact_model, workers, 128);
    return sharded.sample(128, RandomKey(2)).values;
  }();
  CHECK(worst_difference(samples, exact_samples) <=
        1.5 * worst_difference(alone.sample(128, RandomKey(2)).values, exact_samples));
}

TEST_CASE("scoring: a loss controls the mean over its rows, at the cost of the worst") {
  const Tensor<double> data = normals({128, 2}, 6);
  const Model model = steep_model(1e-6);
  Workers workers(1);
  ShardedModel<double> sharded(*model, workers, 128);
  std::vector<std::uint32_t> rows(128);
  for (std::uint32_t i = 0; i < 128; ++i) rows[i] = i;
  const double training =
      sharded.loss_and_gradient(data, rows, &ode::direct, RandomKey(1)).evaluations;
  CHECK(training < sharded.log_prob(data, RandomKey(1)).evaluations);
}

template <class F>
void refuses(F derivative) {
  CHECK_THROWS_WITH_AS(derivative(),
                       doctest::Contains("[solve] this solve kept no steps, so that no derivative "
                                         "runs through it; give SolveOptions::gradient, or the "
                                         "Context of a flow, a mode that has derivatives"),
                       std::invalid_argument);
}

TEST_CASE("scoring: a default context has derivatives, and one without refuses them") {
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    const Model model = test::random_model<double>(test::small_settings(), numerics(1e-10, trace));
    Tape<double> tape;
    const Var<double> x = tape.input(normals({3, 2}, 2));
    Vars<double> parameters;
    for (const auto& p : nn::parameters_of(*model)) parameters.push_back(tape.bind(*p.parameter));
    const auto log_prob = [&](const Var<double>& at, Context<double> context) {
      return sum(model->log_prob(at, context));
    };
    const Var<double> ones = tape.input(Tensor<double>::ones({3, 2}));
    const Var<double> value = log_prob(x, {});
    const Tensor<double> slope(gradient_values<double>(value, std::vector{x})[0]);
    constexpr double h = 1e-4;
    double along = 0;
    for (const double s : slope.storage()) along += s;
    const double difference = (log_prob(x + h, {}).item() - log_prob(x - h, {}).item()) / (2 * h);
    CHECK(along == doctest::Approx(difference).epsilon(1e-6));
    const Context<double> none{.gradient = &ode::values_only};
    const auto f = [&](const Var<double>& at) { return log_prob(at, none); };
    const Var<double> y = f(x);
    CHECK(y.item() == doctest::Approx(value.item()).epsilon(1e-8));
    refuses([&] { gradient_values<double>(y, std::vector{x}); });
    for (const Var<double>& p : parameters)
      refuses([&] { gradient_values<double>(y, std::vector{p}); });
    refuses([&] { gradient(f, x); });
    refuses([&] { jvp(f, x, ones); });
    refuses([&] { hvp(f, x, ones); });
    refuses([&] { partial_pullback<double>({y}, {tape.scalar(1.0)}, {x}); });
    Context<double> context = none;
    refuses([&] {
      gradient_values<double>(sum(model->sample(tape, 3, context)), std::vector{parameters[0]});
    });
  }
}

TEST_CASE("scoring: a loss without gradients is refused") {
  const Model model = test::random_model<double>(test::small_settings(), numerics(1e-4));
  const Tensor<double> data = normals({20, 2}, 6);
  const std::vector<std::uint32_t> rows{1, 2, 3};
  for (const int threads : {1, 2}) {
    Workers workers(threads);
    ShardedModel<double> sharded(*model, workers, 2);
    refuses([&] { sharded.loss_and_gradient(data, rows, &ode::values_only, RandomKey(1)); });
    CHECK(std::isfinite(sharded.loss_and_gradient(data, rows, &ode::direct, RandomKey(1)).loss));
  }
}

TEST_CASE("scoring: the exact trace of wide rows takes bounded memory, and is the same") {
  FlowSettings settings = test::small_settings();
  settings.dim = 150;
  settings.hidden = {20};
  settings.blocks = 1;
  const auto model = test::random_model<double>(settings, numerics(1e-5));
  const Tensor<double> data = normals({32, 150}, 6);
  const auto score = [&](const ode::GradientMode* gradient, std::size_t& bytes) {
    Tape<double> tape;
    Context<double> context{.gradient = gradient};
    Tensor<double> values(model->log_prob(tape.input(data), context).value());
    bytes = tape.peak_bytes();
    return values;
  };
  std::size_t bounded = 0;
  std::size_t recorded = 0;
  CHECK(worst_difference(score(&ode::values_only, bounded), score(&ode::direct, recorded)) < 1e-9);
  // Unit tangents of the whole: 150^2 x 32 numbers, which each layer takes some times.
  CHECK(bounded < 25'000'000);
  CHECK(recorded > 60'000'000);
}

TEST_CASE("scoring: the divergence in blocks of any size is the exact one") {
  const Tensor<double> data = normals({5, 7}, 3);
  Tape<double> tape;
  const Var<double> x = tape.input(data);
  const Var<double> y = tanh(x * x + sum(x, {1}, true)) * x;
  const Tensor<double> exact(exact_divergence(x, y, unit_tangents(x)).value());
  for (const Index block : {1, 2, 3, 6, 7, 100}) {
    const std::size_t before = tape.size();
    CHECK(worst_difference(Tensor<double>(divergence_values(x, y, block).value()), exact) < 1e-13);
    CHECK(tape.size() == before + 1);
  }
}

}  // namespace
}  // namespace fjord::flows
