#include "fjord/flows/distribution.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::numerics;
using test::worst_difference;

/// Two moons with noise 0.06: formats.md's test points.
Tensor<double> moons(Index rows) {
  std::vector<double> uniform(static_cast<std::size_t>(2 * rows));
  RandomKey(3).uniform(std::span<double>(uniform));
  Tensor<double> x = test::normals({rows, 2}, 4, 0.06);
  for (Index row = 0; row < rows; ++row) {
    const double angle = std::numbers::pi * uniform[static_cast<std::size_t>(2 * row)];
    const bool lower = uniform[static_cast<std::size_t>(2 * row + 1)] < 0.5;
    x(row, 0) += lower ? 1 - std::cos(angle) : std::cos(angle);
    x(row, 1) += lower ? 0.5 - std::sin(angle) : std::sin(angle);
  }
  return x;
}

double mean_of(const Tensor<double>& x) {
  double sum = 0;
  for (const double value : x.storage()) sum += value;
  return sum / static_cast<double>(x.size());
}

TEST_CASE("distribution: the normal density is that of the formula") {
  const DiagonalNormal<double> normal({1.0, -2.0}, {0.5, 3.0});
  CHECK(normal.dim() == 2);
  const Tensor<double> log_prob = test::log_prob<double>(normal, {{1, -2}, {2, 1}});
  const double at_mean = -std::log(2 * std::numbers::pi) - std::log(0.5 * 3);
  CHECK(log_prob.shape() == Shape{2});
  CHECK(log_prob(0) == doctest::Approx(at_mean).epsilon(1e-14));
  CHECK(log_prob(1) == doctest::Approx(at_mean - 0.5 * (4 + 1)).epsilon(1e-14));
}

TEST_CASE("distribution: normal samples have the mean and deviation of their column") {
  const DiagonalNormal<double> normal({1.0, -2.0}, {0.5, 3.0});
  constexpr Index rows = 40'000;
  Tape<double> tape;
  Context<double> context;
  context.random = RandomKey(17);
  const Tensor<double> x(normal.sample(tape, rows, context).value());
  for (Index d = 0; d < 2; ++d) {
    double mean = 0;
    double square_sum = 0;
    for (Index row = 0; row < rows; ++row) mean += x(row, d) / rows;
    for (Index row = 0; row < rows; ++row) square_sum += std::pow(x(row, d) - mean, 2) / rows;
    const double deviation = d == 0 ? 0.5 : 3;
    CHECK(std::abs(mean - (d == 0 ? 1 : -2)) < 4 * deviation / std::sqrt(rows));
    CHECK(std::abs(std::sqrt(square_sum) / deviation - 1) < 4 / std::sqrt(2.0 * rows));
  }
}

TEST_CASE_TEMPLATE("distribution: a sample depends on its row's number alone", T, float, double) {
  const auto model = test::random_model<T>(test::small_settings(), numerics(1e-4));
  for (const Distribution<T>* d : {static_cast<const Distribution<T>*>(&model->base()),
                                   static_cast<const Distribution<T>*>(model.get())}) {
    const auto rows = [&](Index count, std::uint64_t first) {
      Tape<T> tape;
      Context<T> context;
      context.random = RandomKey(2);
      context.first_row = first;
      return Tensor<T>(d->sample(tape, count, context).value()).template as<double>();
    };
    const Tensor<double> whole = rows(8, 0);
    const Tensor<double> part = rows(3, 5);
    // The base gives the same bits; the flow's steps are those of its shard.
    const double bound = d == model.get() ? 1e-2 : 0;
    for (Index row = 0; row < 3; ++row) {
      for (Index k = 0; k < 2; ++k) CHECK(std::abs(whole(row + 5, k) - part(row, k)) <= bound);
    }
    CHECK(std::abs(whole(0, 0) - whole(5, 0)) > 0.1);
  }
}

TEST_CASE("distribution: before training, the moons have 2.42 nats under N(0, 0.8^2 I)") {
  // Zero weights in the last layer leave the rows where they are.
  auto model = make_flow<double>(test::small_settings(), numerics(1e-6), RandomKey(1));
  for (const auto& p : nn::parameters_of(*model)) {
    if (p.name.find("layers.2.weight") == std::string::npos) continue;
    for (double& w : p.parameter->mutable_values()) w = 0;
  }
  const Tensor<double> x = moons(20'000);
  const double of_base = -mean_of(test::log_prob(model->base(), x));
  const double of_model = -mean_of(test::log_prob<double>(*model, x));
  // E|x|^2 is 1 on the upper moon and 9/4 - 2/pi on the lower one; the noise adds 2 0.06^2.
  const double square = (3.25 - 2 / std::numbers::pi) / 2 + 2 * 0.06 * 0.06;
  const double exact = std::log(2 * std::numbers::pi * 0.64) + square / (2 * 0.64);
  CHECK(exact == doctest::Approx(2.42).epsilon(0.002));
  CHECK(std::abs(of_base - exact) < 0.02);
  CHECK(std::abs(of_model - of_base) < 1e-12);
}

TEST_CASE("distribution: a model's density integrates to 1") {
  for (const bool concat : {false, true}) {
    FlowSettings settings = test::small_settings();
    settings.t0 = 0.3;
    settings.t1 = 1.6;
    if (concat) settings.time_input = nn::TimeInput::concat;
    const auto model = test::random_model<double>(settings, numerics(1e-7), 4);
    // A smooth density that vanishes at the edges: the sum over a grid converges faster than any
    // power of its spacing.
    constexpr Index side = 160;
    constexpr double edge = 11;
    constexpr double h = 2 * edge / side;
    Tensor<double> grid = Tensor<double>::zeros({side * side, 2});
    for (Index i = 0; i < side * side; ++i) {
      grid(i, 0) = -edge + h * static_cast<double>(i % side);
      const Index row = i / side;
      grid(i, 1) = -edge + h * static_cast<double>(row);
    }
    double total = 0;
    double most = 0;
    for (const double value : test::log_prob<double>(*model, grid).to_vector()) {
      total += std::exp(value) * h * h;
      most = std::max(most, std::exp(value));
    }
    CHECK(std::abs(total - 1) < 1e-6);
    CHECK(most > 0.05);
  }
}

TEST_CASE("distribution: samples come with the density that log_prob gives them") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-10));
  Tape<double> tape;
  Context<double> context;
  context.random = RandomKey(9);
  const SampleAndLogProb<double> drawn = model->sample_and_log_prob(tape, 6, context);
  const Tensor<double> again = test::log_prob<double>(*model, Tensor<double>(drawn.sample.value()));
  CHECK(worst_difference(Tensor<double>(drawn.log_prob.value()), again) < 1e-7);
  Context<double> same;
  same.random = RandomKey(9);
  CHECK(worst_difference(Tensor<double>(model->sample(tape, 6, same).value()),
                         Tensor<double>(drawn.sample.value())) < 1e-8);
}

TEST_CASE("distribution: the score and its derivatives are right, through the whole flow") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-11));
  for (const ode::GradientMode* gradient :
       std::initializer_list<const ode::GradientMode*>{&ode::direct, &ode::backsolve}) {
    const CheckedFunction f = [&](const Vars<double>& inputs) {
      Context<double> context;
      context.gradient = gradient;
      return model->log_prob(inputs[0], context);
    };
    const GradientCheck check = check_gradient(f, {test::normals({3, 2}, 12)});
    // Steps change with the input, and adjoint solves meet their tolerances, no more.
    CHECK(check.reverse < 1e-6);
    CHECK(check.forward < (gradient == &ode::direct ? 1e-12 : 1e-7));
    CHECK(check.second < (gradient == &ode::direct ? 1e-11 : 1e-6));
  }
}

TEST_CASE("distribution: rows of another width and parameters out of range are refused") {
  CHECK_THROWS_WITH_AS(DiagonalNormal<double>({1.0, 2.0}, {1.0}), doctest::Contains("2 and 1"),
                       std::invalid_argument);
  for (const double bad : {0.0, -1.0, std::nan("")}) {
    CHECK_THROWS_WITH_AS(DiagonalNormal<double>({1.0}, {bad}),
                         doctest::Contains("every scale must be positive"), std::invalid_argument);
  }
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-3));
  const DiagonalNormal<double> normal({1.0, 2.0}, {1.0, 1.0});
  for (const Shape& shape : {Shape{4, 3}, Shape{2}, Shape{2, 2, 2}}) {
    CHECK_THROWS_AS(test::log_prob<double>(*model, Tensor<double>::zeros(shape)),
                    std::invalid_argument);
    CHECK_THROWS_WITH_AS(test::log_prob<double>(normal, Tensor<double>::zeros(shape)),
                         doctest::Contains("rows of 2 numbers are needed"), std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::flows
