#include "fjord/flows/ffjord.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::numerics;
using test::worst_difference;

FfjordOptions options(double tolerance, Trace trace = Trace::exact) {
  FfjordOptions o;
  o.solver = numerics(tolerance, trace);
  // Exact for rows of three numbers.
  if (trace == Trace::hutch_plus_plus) o.solver.probes = 9;
  return o;
}

struct Numbers {
  Tensor<double> value;
  Tensor<double> log_det;
};

Numbers run(const Bijector<double>& flow, const Tensor<double>& x, bool forward,
            const ode::GradientMode* gradient = &ode::values_only, std::uint64_t key = 7) {
  Tape<double> tape;
  Context<double> context;
  context.gradient = gradient;
  context.random = RandomKey(key);
  const Var<double> in = tape.input(x);
  const WithLogDet<double> out =
      forward ? flow.forward_with_log_det(in, context) : flow.inverse_with_log_det(in, context);
  return {Tensor<double>(out.value.value()), Tensor<double>(out.log_det.value())};
}

Tensor<double> scaled(Tensor<double> x, double factor, double shift = 0) {
  for (double& value : x.storage()) value = value * factor + shift;
  return x;
}

const ode::Field<double> growth = [](const Var<double>&, const Var<double>& z) {
  return z * std::log(2.0);
};

/// Every way in which a log-determinant can be asked for.
struct Way {
  Trace trace;
  const ode::GradientMode* gradient;
};

const std::vector<Way> ways{
    {Trace::exact, &ode::values_only},      {Trace::exact, &ode::direct},
    {Trace::exact, &ode::backsolve},        {Trace::hutchinson, &ode::values_only},
    {Trace::hutchinson, &ode::direct},      {Trace::hutchinson, &ode::backsolve},
    {Trace::hutch_plus_plus, &ode::direct}, {Trace::hutch_plus_plus, &ode::backsolve},
    {Trace::automatic, &ode::direct}};

TEST_CASE("ffjord: a constant field is a shift without a determinant, for every trace") {
  const Tensor<double> x = normals({6, 3}, 1);
  const ode::Field<double> constant = [](const Var<double>& t, const Var<double>& z) {
    return broadcast_to(t * 0.0 + 2.5, z.shape());
  };
  for (const Way& way : ways) {
    const Ffjord<double> flow(constant, {}, options(1e-6, way.trace));
    for (const bool forward : {true, false}) {
      const Numbers end = run(flow, x, forward, way.gradient);
      CHECK(worst_difference(end.value, scaled(x, 1, forward ? 2.5 : -2.5)) < 1e-13);
      CHECK(end.log_det == Tensor<double>::zeros({6}));
    }
  }
}

TEST_CASE("ffjord: f = z log 2 doubles, with log-determinant D log 2, for every trace") {
  const Tensor<double> x = normals({6, 3}, 1);
  for (const Way& way : ways) {
    const Ffjord<double> flow(growth, {}, options(1e-10, way.trace));
    for (const bool forward : {true, false}) {
      const Numbers end = run(flow, x, forward, way.gradient);
      CHECK(worst_difference(end.value, scaled(x, forward ? 2 : 0.5)) < 1e-8);
      const double exact = (forward ? 3 : -3) * std::log(2);
      CHECK(worst_difference(end.log_det, Tensor<double>::full({6}, exact)) < 1e-12);
    }
  }
}

TEST_CASE_TEMPLATE("ffjord: times other than 0 and 1, in either direction", T, float, double) {
  // dz/dt = t z from t0 to t1: z exp((t1^2 - t0^2) / 2).
  for (const auto& times : {std::pair{0.5, 2.0}, {1.5, -0.5}, {-2.0, -1.0}, {0.7, 0.7}}) {
    const double t0 = times.first;
    const double t1 = times.second;
    CAPTURE(t0);
    FfjordOptions o = options(std::is_same_v<T, double> ? 1e-10 : 1e-6);
    o.t0 = t0;
    o.t1 = t1;
    const Ffjord<T> flow([](const Var<T>& t, const Var<T>& z) { return z * t; }, {}, o);
    Tape<T> tape;
    Context<T> context;
    const Var<T> x = tape.input(Tensor<T>{{1, -2}, {0.5F, 3}});
    const double exponent = (t1 * t1 - t0 * t0) / 2;
    const double bound = std::is_same_v<T, double> ? 1e-8 : 1e-5;
    const WithLogDet<T> y = flow.forward_with_log_det(x, context);
    CHECK(static_cast<double>(y.value.value()(1, 1)) ==
          doctest::Approx(3 * std::exp(exponent)).epsilon(bound));
    const WithLogDet<T> z = flow.inverse_with_log_det(x, context);
    CHECK(static_cast<double>(z.value.value()(0, 1)) ==
          doctest::Approx(-2 * std::exp(-exponent)).epsilon(bound));
    for (Index row = 0; row < 2; ++row) {
      CHECK(std::abs(static_cast<double>(y.log_det.value()(row)) - 2 * exponent) < bound);
      CHECK(std::abs(static_cast<double>(z.log_det.value()(row)) + 2 * exponent) < bound);
    }
  }
}

TEST_CASE("ffjord: a linear field is the matrix exponential, with the trace as log-determinant") {
  // A rotation by 0.9 with growth 0.2: exp(A) is exp(0.2) times the rotation.
  const Tensor<double> a{{0.2, 0.9}, {-0.9, 0.2}};
  const ode::Field<double> field = [&](const Var<double>& t, const Var<double>& z) {
    return matmul(z, t.tape().input(a));
  };
  const Ffjord<double> flow(field, {}, options(1e-10));
  const Numbers end = run(flow, {{1, 0}}, true);
  CHECK(end.value(0, 0) == doctest::Approx(std::exp(0.2) * std::cos(0.9)).epsilon(1e-8));
  CHECK(end.value(0, 1) == doctest::Approx(std::exp(0.2) * std::sin(0.9)).epsilon(1e-8));
  CHECK(end.log_det(0) == doctest::Approx(0.4).epsilon(1e-10));
}

TEST_CASE("ffjord: Rademacher probes are exact for a diagonal Jacobian, Gaussian ones are not") {
  const ode::Field<double> diagonal = [](const Var<double>& t, const Var<double>& z) {
    return sin(z * 1.3) * cos(t) + tanh(z);
  };
  const Tensor<double> x = normals({20, 2}, 3);
  const Tensor<double> exact = run(Ffjord<double>(diagonal, {}, options(1e-10)), x, true).log_det;
  FfjordOptions o = options(1e-10, Trace::hutchinson);
  CHECK(worst_difference(run(Ffjord<double>(diagonal, {}, o), x, true).log_det, exact) < 1e-8);
  o.solver.probe = Probe::gaussian;
  CHECK(worst_difference(run(Ffjord<double>(diagonal, {}, o), x, true).log_det, exact) > 0.1);
}

TEST_CASE("ffjord: Hutchinson's log-determinant is unbiased") {
  constexpr Index rows = 4000;
  const Tensor<double> a{{0.3, 1.1}, {-0.2, -0.5}};
  const ode::Field<double> field = [&](const Var<double>& t, const Var<double>& z) {
    return matmul(z, t.tape().input(a));
  };
  for (const Probe probe : {Probe::rademacher, Probe::gaussian}) {
    for (const Index probes : {1, 4}) {
      FfjordOptions o = options(1e-4, Trace::hutchinson);
      o.solver.probe = probe;
      o.solver.probes = probes;
      const Tensor<double> log_det =
          run(Ffjord<double>(field, {}, o), normals({rows, 2}, 1), true).log_det;
      double mean = 0;
      for (const double value : log_det.storage()) mean += value / rows;
      // The variance of p^T A p: (a12 + a21)^2, and 2 (a11^2 + a22^2) more for Gaussians.
      const double variance = 0.81 + (probe == Probe::gaussian ? 0.68 : 0);
      CHECK(std::abs(mean + 0.2) < 4 * std::sqrt(variance / static_cast<double>(rows * probes)));
    }
  }
}

TEST_CASE("ffjord: each solve of a context draws probes of its own, each context the same again") {
  const ode::Field<double> field = [](const Var<double>& t, const Var<double>& z) {
    return matmul(z, t.tape().input(Tensor<double>{{0.3, 1.1}, {-0.2, -0.5}}));
  };
  const Ffjord<double> flow(field, {}, options(1e-6, Trace::hutchinson));
  Tape<double> tape;
  const Var<double> x = tape.input(normals({30, 2}, 1));
  Context<double> context;
  const Tensor<double> first(flow.forward_with_log_det(x, context).log_det.value());
  const Tensor<double> second(flow.forward_with_log_det(x, context).log_det.value());
  CHECK(worst_difference(first, second) > 0.1);
  Context<double> again;
  CHECK(Tensor<double>(flow.forward_with_log_det(x, again).log_det.value()) == first);
  CHECK(context.solves == 2);
}

TEST_CASE("ffjord: the probes of a solve stay the same over it") {
  // The Jacobian is constant, so that the integral is the estimate of one evaluation.
  const Tensor<double> a = normals({5, 5}, 4);
  const ode::Field<double> field = [&](const Var<double>& t, const Var<double>& z) {
    return matmul(z, t.tape().input(a));
  };
  const Tensor<double> x = normals({30, 5}, 1);
  for (const Trace trace : {Trace::hutchinson, Trace::hutch_plus_plus}) {
    Tape<double> tape;
    const Var<double> z = tape.input(x);
    const Var<double> directions =
        directions_for(trace, z, 3, Probe::rademacher, RandomKey(7).fold(0), 0);
    const Tensor<double> once(
        divergence_of(jacobian_products(trace, z, matmul(z, tape.input(a)), directions)).value());
    FfjordOptions o = options(1e-8, trace);
    o.solver.probes = 3;
    CHECK(worst_difference(run(Ffjord<double>(field, {}, o), x, true).log_det, once) < 1e-12);
  }
}

TEST_CASE("ffjord: probes of a bottleneck of one number are exact, wider ones unbiased") {
  const Tensor<double> x = test::normals({3, 4}, 5);
  const auto log_det_of = [&](Index width, Trace trace, std::uint64_t key) {
    auto network = std::make_unique<nn::Mlp<double>>(
        std::vector<Index>{5, 7, width, 6, 4}, nn::activation_named<double>("sin"), RandomKey(2));
    const Ffjord<double> flow(
        std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::concat),
        FfjordOptions{.solver = test::numerics(1e-6, trace)});
    Tape<double> tape;
    Context<double> context{.random = RandomKey(key)};
    return flow.forward_with_log_det(tape.input(x), context).log_det.value()(1);
  };
  CHECK(log_det_of(1, Trace::hutchinson, 7) ==
        doctest::Approx(log_det_of(1, Trace::exact, 7)).epsilon(1e-5));
  const double exact = log_det_of(3, Trace::exact, 7);
  double mean = 0;
  double squares = 0;
  constexpr int draws = 400;
  for (int i = 0; i < draws; ++i) {
    const double error = log_det_of(3, Trace::hutchinson, static_cast<std::uint64_t>(i)) - exact;
    mean += error / draws;
    squares += error * error / draws;
  }
  CHECK(squares > 0);
  CHECK(std::abs(mean) < 4 * std::sqrt(squares / draws));
}

TEST_CASE("ffjord: the automatic trace is exact where that is cheap, else Hutchinson's") {
  const ode::Field<double> field = [](const Var<double>& t, const Var<double>& z) {
    return matmul(z, t.tape().input(Tensor<double>{{0.3, 1.1}, {-0.2, -0.5}}));
  };
  const Tensor<double> x = normals({9, 2}, 1);
  const auto log_det = [&](Trace trace, Index probes, const ode::GradientMode* gradient) {
    FfjordOptions o = options(1e-6, trace);
    o.solver.probes = probes;
    return run(Ffjord<double>(field, {}, o), x, true, gradient).log_det;
  };
  const Tensor<double> exact = log_det(Trace::exact, 1, &ode::direct);
  CHECK(SolverSettings().trace == Trace::automatic);
  CHECK(log_det(Trace::automatic, 1, &ode::values_only) ==
        log_det(Trace::exact, 1, &ode::values_only));
  CHECK(log_det(Trace::automatic, 2, &ode::direct) == exact);
  // A score with a gradient is exact, a loss is estimated: see Context::norm.
  CHECK(log_det(Trace::automatic, 1, &ode::direct) == exact);
  const auto of_loss = [&](Trace trace) {
    Tape<double> tape;
    Context<double> context{.norm = ode::ErrorNorm::rms};
    const Ffjord<double> flow(field, {}, options(1e-6, trace));
    return Tensor<double>(flow.forward_with_log_det(tape.input(x), context).log_det.value());
  };
  CHECK(of_loss(Trace::automatic) == of_loss(Trace::hutchinson));
  CHECK(test::worst_difference(of_loss(Trace::automatic), of_loss(Trace::exact)) > 1e-2);
  // A narrow network of tanh knows its divergence.
  const auto in_training = [](Trace trace) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6, trace));
    Tape<double> tape;
    Context<double> context;
    return Tensor<double>(model->log_prob(tape.input(normals({9, 2}, 1)), context).value());
  };
  CHECK(in_training(Trace::automatic) == in_training(Trace::exact));
}

TEST_CASE("ffjord: a context counts the calls of the field, with and without the trace") {
  std::size_t calls = 0;
  const Ffjord<double> flow(
      [&](const Var<double>&, const Var<double>& z) {
        ++calls;
        return tanh(z);
      },
      {}, options(1e-6));
  Tape<double> tape;
  const Var<double> x = tape.input(normals({3, 2}, 1));
  Context<double> context;
  flow.forward(x, context);
  flow.inverse_with_log_det(x, context);
  CHECK(context.evaluations == calls);
  CHECK(calls > 14);
}

/// The mean log-density of rows under a model and its gradient in all parameters.
struct Gradients {
  double loss = 0;
  std::vector<double> numbers;
};

Gradients mean_log_prob(TransformedDistribution<double>& model, const Tensor<double>& x,
                        const ode::GradientMode* gradient) {
  Tape<double> tape;
  Context<double> context;
  context.gradient = gradient;
  Vars<double> parameters;
  for (const auto& p : nn::parameters_of(model)) parameters.push_back(tape.bind(*p.parameter));
  const Var<double> loss = mean(model.log_prob(tape.input(x), context));
  Gradients result{loss.item(), {}};
  if (gradient == &ode::values_only) return result;
  for (const TensorView<double>& g : gradient_values<double>(loss, parameters)) {
    const std::vector<double> part = Tensor<double>(g).to_vector(Order::column_major);
    result.numbers.insert(result.numbers.end(), part.begin(), part.end());
  }
  return result;
}

TEST_CASE("ffjord: the gradient of the log-density is that of differences, in both modes") {
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-11, trace));
    const Tensor<double> x = normals({5, 2}, 2);
    const Gradients direct = mean_log_prob(*model, x, &ode::direct);
    const Gradients adjoint = mean_log_prob(*model, x, &ode::backsolve);
    CHECK(adjoint.loss == direct.loss);
    std::size_t i = 0;
    constexpr double h = 1e-4;
    for (const auto& p : nn::parameters_of(*model)) {
      for (std::size_t k = 0; k < static_cast<std::size_t>(p.parameter->value().size()); ++k, ++i) {
        const auto at = [&](double step) {
          const double kept = p.parameter->mutable_values()[k];
          p.parameter->mutable_values()[k] = kept + step;
          const double loss = mean_log_prob(*model, x, &ode::values_only).loss;
          p.parameter->mutable_values()[k] = kept;
          return loss;
        };
        CAPTURE(p.name);
        CAPTURE(k);
        const double difference = (at(h) - at(-h)) / (2 * h);
        CHECK(std::abs(direct.numbers[i] - difference) < 1e-6);
        CHECK(std::abs(adjoint.numbers[i] - direct.numbers[i]) < 1e-6);
      }
    }
    CHECK(i == direct.numbers.size());
  }
}

TEST_CASE("ffjord: with Hutch++ the gradient is the same in all modes") {
  SolverSettings settings = numerics(1e-11, Trace::hutch_plus_plus);
  settings.probes = 3;
  const auto model = test::random_model<double>(test::small_settings(), settings);
  const Tensor<double> x = normals({5, 2}, 2);
  const std::vector<double> expected = mean_log_prob(*model, x, &ode::direct).numbers;
  for (const ode::GradientMode* mode : std::initializer_list<const ode::GradientMode*>{
           &ode::backsolve, &ode::interpolating, &ode::checkpointed}) {
    CAPTURE(mode->name());
    const std::vector<double> found = mean_log_prob(*model, x, mode).numbers;
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 1e-6);
  }
}

TEST_CASE("ffjord: the adjoint mode's second solve may have tolerances of its own") {
  const auto gradients_with = [&](double backward) {
    const ode::Backsolve mode({.backward = test::tolerances(backward, backward)});
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-10));
    return mean_log_prob(*model, normals({5, 2}, 2), &mode).numbers;
  };
  const auto distance = [](const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return worst;
  };
  const std::vector<double> tight = gradients_with(1e-10);
  const std::vector<double> medium = gradients_with(1e-6);
  const std::vector<double> loose = gradients_with(1e-2);
  CHECK(distance(medium, tight) < 1e-4);
  CHECK(distance(loose, tight) > 1e-8);
}

TEST_CASE("ffjord: single precision follows double") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-9));
  const nn::State state = state_of(*model);
  const auto single = model_of<float>(state, numerics(1e-5));
  const Tensor<double> x = normals({50, 2}, 2);
  const Tensor<float> log_prob = test::log_prob<float>(*single, x.as<float>());
  CHECK(worst_difference(log_prob.as<double>(), test::log_prob<double>(*model, x)) < 1e-3);
}

TEST_CASE("ffjord: options out of range and other shapes are refused") {
  FfjordOptions o;
  o.solver.probes = 0;
  CHECK_THROWS_WITH_AS(Ffjord<double>(growth, {}, o), doctest::Contains("probes"),
                       std::invalid_argument);
  const Ffjord<double> flow(growth, {});
  Tape<double> tape;
  Context<double> context;
  CHECK_THROWS_WITH_AS(flow.forward_with_log_det(tape.input(Tensor<double>{1.0, 2.0}), context),
                       doctest::Contains("rows [B, D] are needed, got [2]"), std::invalid_argument);
}

TEST_CASE("ffjord: a solve that fails throws with the time and a remedy") {
  const Ffjord<double> flow([](const Var<double>&, const Var<double>& z) { return square(z); }, {});
  Tape<double> tape;
  for (const ode::GradientMode* gradient : std::initializer_list<const ode::GradientMode*>{
           &ode::values_only, &ode::direct, &ode::backsolve}) {
    Context<double> context;
    context.gradient = gradient;
    CHECK_THROWS_WITH_AS(flow.forward(tape.input(Tensor<double>{{1, 2}}), context),
                         doctest::Contains("at t = 0.5"), ode::SolveFailure);
    CHECK(context.evaluations > 0);
  }
}

}  // namespace
}  // namespace fjord::flows
