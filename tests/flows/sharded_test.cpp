#include "fjord/flows/sharded.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::numerics;
using test::worst_difference;

using Rows = std::vector<std::uint32_t>;

Rows first_rows(std::uint32_t count) {
  Rows rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

/// What a step gives, kept beyond the next call.
template <class T>
struct Step {
  double loss;
  std::vector<T> gradient;
  double evaluations;

  friend bool operator==(const Step&, const Step&) = default;
};

template <class T>
Step<T> step(ShardedModel<T>& sharded, const Tensor<T>& data, const Rows& rows,
             const ode::GradientMode* gradient = &ode::direct, std::uint64_t key = 3) {
  const LossAndGradient<T> r = sharded.loss_and_gradient(data, rows, gradient, RandomKey(key));
  return {r.loss, std::vector<T>(r.gradient.begin(), r.gradient.end()), r.evaluations};
}

TEST_CASE_TEMPLATE("sharded: results have the same bits for any number of threads", T, float,
                   double) {
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    const auto model = test::random_model<T>(test::small_settings(), numerics(1e-4, trace));
    const Tensor<T> data = normals({300, 2}, 6).template as<T>();
    Workers alone(1);
    ShardedModel<T> reference(*model, alone, 32);
    for (const int threads : {2, 3, 5}) {
      Workers workers(threads);
      ShardedModel<T> sharded(*model, workers, 32);
      for (const ode::GradientMode* gradient :
           std::initializer_list<const ode::GradientMode*>{&ode::direct, &ode::backsolve}) {
        CHECK(step(sharded, data, first_rows(300), gradient) ==
              step(reference, data, first_rows(300), gradient));
      }
      CHECK(sharded.log_prob(data, RandomKey(1)).values ==
            reference.log_prob(data, RandomKey(1)).values);
      CHECK(sharded.sample(100, RandomKey(2)).values == reference.sample(100, RandomKey(2)).values);
      CHECK(sharded.forward(*model, data).values == reference.forward(*model, data).values);
    }
  }
}

TEST_CASE("sharded: gradient modes agree, and the same bits on any number of threads") {
  const Tensor<double> data = normals({100, 2}, 6);
  for (const ode::GradientMode* mode : ode::gradient_modes()) {
    if (!mode->has_derivatives() || mode == &ode::forward_sensitivity) continue;
    CAPTURE(std::string(mode->name()));
    SolverSettings settings = numerics(1e-6, Trace::exact);
    if (!mode->suits(*settings.solve.method)) {
      settings.solve.method = &ode::reversible_heun;
      settings.solve.rtol = settings.solve.atol = 1e-4;
    }
    const auto model = test::random_model<double>(test::small_settings(), settings);
    Workers alone(1);
    Workers three(3);
    ShardedModel<double> reference(*model, alone, 32);
    ShardedModel<double> sharded(*model, three, 32);
    const auto found = step(sharded, data, first_rows(100), mode);
    CHECK(found == step(reference, data, first_rows(100), mode));
    const auto expected = step(reference, data, first_rows(100));
    double off = 0;
    double size = 0;
    for (std::size_t i = 0; i < found.gradient.size(); ++i) {
      off = std::hypot(off, found.gradient[i] - expected.gradient[i]);
      size = std::hypot(size, expected.gradient[i]);
    }
    CHECK(off < 1e-4 * size);
  }
}

TEST_CASE("sharded: loss and gradient are the sums over the shards") {
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-5, trace));
    const Tensor<double> data = normals({90, 2}, 6);
    const Rows rows{7, 80, 3, 3, 41, 12, 66, 25, 89, 0};
    Workers workers(2);
    ShardedModel<double> sharded(*model, workers, 4);
    const Step<double> result = step(sharded, data, rows);
    double loss = 0;
    double evaluations = 0;
    std::vector<double> gradient(result.gradient.size(), 0.0);
    for (std::size_t first = 0; first < rows.size(); first += 4) {
      const std::size_t last = std::min(rows.size(), first + 4);
      Tape<double> tape;
      Context<double> context;
      context.norm = ode::ErrorNorm::rms;
      context.random = RandomKey(3);
      context.first_row = first;
      Tensor<double> x = Tensor<double>::zeros({static_cast<Index>(last - first), 2});
      for (std::size_t i = first; i < last; ++i) {
        for (Index d = 0; d < 2; ++d) x(i - first, d) = data(rows[i], d);
      }
      Vars<double> parameters;
      for (const auto& p : nn::parameters_of(*model)) parameters.push_back(tape.bind(*p.parameter));
      const Var<double> part = sum(model->log_prob(tape.input(x), context));
      loss -= part.item() / 10;
      evaluations += static_cast<double>(context.evaluations * (last - first)) / 10;
      std::size_t k = 0;
      for (const TensorView<double>& g : gradient_values<double>(part, parameters)) {
        for (const double value : Tensor<double>(g).to_vector(Order::column_major))
          gradient[k++] -= value / 10;
      }
    }
    CHECK(result.loss == doctest::Approx(loss).epsilon(1e-13));
    CHECK(result.evaluations == doctest::Approx(evaluations).epsilon(1e-13));
    for (std::size_t k = 0; k < gradient.size(); ++k)
      CHECK(std::abs(result.gradient[k] - gradient[k]) < 1e-13);
  }
}

TEST_CASE("sharded: how rows are cut changes results by the solver's tolerance only") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-9));
  const Tensor<double> data = normals({50, 2}, 6);
  Workers workers(1);
  ShardedModel<double> small(*model, workers, 7);
  ShardedModel<double> large(*model, workers, 1000);
  CHECK(worst_difference(small.log_prob(data, RandomKey(1)).values,
                         test::log_prob<double>(*model, data)) < 1e-7);
  CHECK(worst_difference(small.sample(50, RandomKey(1)).values,
                         large.sample(50, RandomKey(1)).values) < 1e-7);
  const Step<double> a = step(small, data, first_rows(50));
  const Step<double> b = step(large, data, first_rows(50));
  CHECK(a.loss == doctest::Approx(b.loss).epsilon(1e-8));
  for (std::size_t k = 0; k < a.gradient.size(); ++k)
    CHECK(std::abs(a.gradient[k] - b.gradient[k]) < 1e-6);
}

TEST_CASE("sharded: samples are those of the distribution, and follow their row's number") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-9));
  Workers workers(2);
  ShardedModel<double> sharded(*model, workers, 16);
  const Tensor<double> many = sharded.sample(70, RandomKey(4)).values;
  const Tensor<double> few = sharded.sample(16, RandomKey(4)).values;
  for (Index row = 0; row < 16; ++row) CHECK(many(row, 1) == few(row, 1));
  Tape<double> tape;
  Context<double> context;
  context.random = RandomKey(4);
  CHECK(worst_difference(Tensor<double>(model->sample(tape, 70, context).value()), many) < 1e-7);
}

TEST_CASE("sharded: forward carries base points to data points") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-9));
  const Tensor<double> points = normals({40, 2}, 6);
  Workers workers(2);
  ShardedModel<double> sharded(*model, workers, 16);
  Tape<double> tape;
  Context<double> context;
  const Var<double> expected = model->bijector().forward(tape.input(points), context);
  CHECK(worst_difference(sharded.forward(*model, points).values, Tensor<double>(expected.value())) <
        1e-7);
}

TEST_CASE("sharded: data in any layout gives the same bits") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-4));
  const Tensor<double> data = normals({20, 2}, 6);
  const std::vector<double> rows = data.to_vector();
  const TensorView<double> row_major(rows.data(), {20, 2});
  Workers workers(1);
  ShardedModel<double> sharded(*model, workers, 8);
  CHECK(sharded.log_prob(row_major, RandomKey(1)).values ==
        sharded.log_prob(data, RandomKey(1)).values);
}

TEST_CASE("sharded: no rows are accepted where a result without rows makes sense") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-4));
  Workers workers(2);
  ShardedModel<double> sharded(*model, workers);
  const Tensor<double> none = Tensor<double>::zeros({0, 2});
  CHECK(sharded.log_prob(none, RandomKey(1)).values.shape() == Shape{0});
  CHECK(sharded.sample(0, RandomKey(1)).values.shape() == Shape{0, 2});
  CHECK(sharded.forward(*model, none).evaluations == 0);
}

TEST_CASE("sharded: a failed solve names rows, block, time and remedy, and lets go") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6));
  Tensor<double> data = normals({50, 2}, 6);
  data(37, 1) = std::numeric_limits<double>::quiet_NaN();
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    ShardedModel<double> sharded(*model, workers, 16);
    const char* message =
        "rows 33 to 48: block 1: the state or the field became infinite or NaN at t = 1";
    CHECK_THROWS_WITH_AS(step(sharded, data, first_rows(50)), doctest::Contains(message),
                         ode::SolveFailure);
    CHECK_THROWS_WITH_AS(sharded.log_prob(data, RandomKey(0)),
                         doctest::Contains("check its inputs and parameters"), ode::SolveFailure);
    for (const auto& p : nn::parameters_of(*model)) CHECK_NOTHROW(p.parameter->mutable_values());
    // And it goes on.
    CHECK(std::isfinite(step(sharded, data, first_rows(30)).loss));
  }
  SolverSettings limited = numerics(1e-6);
  limited.solve.max_steps = 1;
  const auto hasty = test::random_model<double>(test::small_settings(), limited);
  Workers workers(1);
  ShardedModel<double> sharded(*hasty, workers, 16);
  CHECK_THROWS_WITH_AS(sharded.sample(5, RandomKey(0)), doctest::Contains("raise max_steps"),
                       ode::SolveFailure);
  const Tensor<double> one_row{{1, 2}};
  CHECK_THROWS_WITH_AS(sharded.forward(*hasty, one_row), doctest::Contains("rows 1 to 1: block 0"),
                       ode::SolveFailure);
}

TEST_CASE("sharded: parameters may change between calls, and calls see the change") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6));
  const Tensor<double> data = normals({20, 2}, 6);
  Workers workers(2);
  ShardedModel<double> sharded(*model, workers, 8);
  const Step<double> before = step(sharded, data, first_rows(20));
  std::size_t k = 0;
  double decrease = 0;
  for (const auto& p : nn::parameters_of(*model)) {
    for (double& w : p.parameter->mutable_values()) {
      w -= 1e-4 * before.gradient[k];
      decrease += 1e-4 * before.gradient[k] * before.gradient[k];
      ++k;
    }
  }
  CHECK(k == before.gradient.size());
  const double change = step(sharded, data, first_rows(20)).loss - before.loss;
  CHECK(change == doctest::Approx(-decrease).epsilon(0.05));
}

TEST_CASE("sharded: other shapes, rows that are not there and sizes out of range are refused") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-4));
  Workers workers(1);
  ShardedModel<double> sharded(*model, workers);
  const Tensor<double> data = normals({20, 2}, 6);
  const Tensor<double> wide = normals({20, 3}, 6);
  const auto refuses = [](auto f, const char* part) {
    CHECK_THROWS_WITH_AS(f(), doctest::Contains(part), std::invalid_argument);
  };
  refuses([&] { step(sharded, wide, first_rows(3)); },
          "rows of 2 numbers are needed, got rows of 3");
  refuses([&] { sharded.log_prob(wide, RandomKey(0)); }, "rows of 2 numbers");
  refuses([&] { sharded.forward(*model, wide); }, "rows of 2 numbers");
  refuses([&] { step(sharded, data, {0, 20}); }, "there is no row 20: the data has 20");
  refuses([&] { step(sharded, data, {}); }, "at least one row");
  refuses([&] { ShardedModel<double>(*model, workers, 0); }, "shard_rows must be positive");
}

}  // namespace
}  // namespace fjord::flows
