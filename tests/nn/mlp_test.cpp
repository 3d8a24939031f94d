#include "fjord/nn/mlp.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/tape.hpp"
#include "fjord/nn/time_input.hpp"

namespace fjord::nn {
namespace {

using Scalar = double (*)(double);

/// The closed form of every activation.
struct ClosedForm {
  const char* name;
  Scalar function;
};

double logistic(double u) {
  return 1 / (1 + std::exp(-u));
}

const std::vector<ClosedForm> closed_forms{
    {"tanh", [](double u) { return std::tanh(u); }},
    {"softplus", [](double u) { return std::log(1 + std::exp(u)); }},
    {"elu", [](double u) { return u > 0 ? u : std::exp(u) - 1; }},
    {"silu", [](double u) { return u * logistic(u); }},
    {"gelu", [](double u) { return u / 2 * (1 + std::erf(u / std::numbers::sqrt2)); }},
    {"sigmoid", logistic},
    {"sin", [](double u) { return std::sin(u); }}};

template <class T>
void set_biases(Mlp<T>& mlp) {
  int k = 0;
  for (const NamedParameter<T>& p : parameters_of(mlp)) {
    if (p.parameter->value().shape().rank() != 1) continue;
    for (T& b : p.parameter->mutable_values()) b = static_cast<T>(0.3 * std::cos(++k));
  }
}

/// One row through the network, number by number.
template <class T>
std::vector<double> by_hand(Mlp<T>& mlp, Scalar function, std::vector<double> x) {
  const NamedParameters<T> parameters = parameters_of(mlp);
  for (std::size_t layer = 0; layer < parameters.size() / 2; ++layer) {
    const Tensor<T>& weight = parameters[2 * layer].parameter->value();
    const Tensor<T>& bias = parameters[2 * layer + 1].parameter->value();
    std::vector<double> next;
    for (Index o = 0; o < bias.size(); ++o) {
      double sum = static_cast<double>(bias(o));
      for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(weight(o, i)) * x[i];
      next.push_back(sum);
    }
    if (layer + 1 < parameters.size() / 2) {
      for (double& u : next) u = function(u);
    }
    x = next;
  }
  return x;
}

TEST_CASE("mlp: every activation has a closed form here") {
  CHECK(all_activations<double>().size() == closed_forms.size());
  for (const auto& activation : all_activations<float>()) {
    CHECK((activation_named<float>(activation.name).function == activation.function));
  }
}

TEST_CASE_TEMPLATE("mlp: the forward function is that computed by hand", T, float, double) {
  const double tolerance = std::is_same_v<T, double> ? 1e-13 : 2e-6;
  for (const ClosedForm& form : closed_forms) {
    CAPTURE(form.name);
    Mlp<T> mlp(std::vector<Index>{3, 5, 4, 2}, activation_named<T>(form.name), RandomKey(11));
    set_biases(mlp);
    Tape<T> tape;
    const std::vector<std::vector<double>> rows{
        {0.5, -1, 2}, {-0.25, 0.125, -3}, {0, 0, 0}, {4, -2, 1}};
    Tensor<T> x = Tensor<T>::zeros({4, 3});
    for (Index r = 0; r < 4; ++r) {
      for (Index i = 0; i < 3; ++i)
        x(r, i) = static_cast<T>(rows[static_cast<std::size_t>(r)][static_cast<std::size_t>(i)]);
    }
    const Var<T> y = mlp.forward(tape.input(x));
    REQUIRE(y.shape() == Shape{4, 2});
    for (std::size_t r = 0; r < 4; ++r) {
      const std::vector<double> expected = by_hand(mlp, form.function, rows[r]);
      for (std::size_t o = 0; o < 2; ++o) {
        CHECK(std::abs(static_cast<double>(y.value()(r, o)) - expected[o]) < tolerance);
      }
    }
  }
}

TEST_CASE("mlp: leading axes are batches, and a network of one layer is affine") {
  Mlp<double> mlp(std::vector<Index>{2, 3}, activation_named<double>("tanh"), RandomKey(4));
  set_biases(mlp);
  Tape<double> tape;
  const Var<double> y =
      mlp.forward(tape.input(Tensor<double>{{{1, 2}, {3, 4}}, {{5, 6}, {-7, -8}}}));
  REQUIRE(y.shape() == Shape{2, 2, 3});
  const std::vector<double> expected = by_hand(mlp, logistic, {-7, -8});
  for (std::size_t o = 0; o < 3; ++o)
    CHECK(y.value()(1, 1, o) == doctest::Approx(expected[o]).epsilon(1e-13));
}

TEST_CASE("mlp: weights start as truncated normals of variance 1 / in, biases as zeros") {
  constexpr Index in = 100;
  Mlp<double> mlp(std::vector<Index>{in, 200, in}, activation_named<double>("tanh"), RandomKey(7));
  const NamedParameters<double> parameters = parameters_of(mlp);
  const std::span<const double> weights = parameters[0].parameter->value().storage();
  double sum = 0;
  double squares = 0;
  for (const double w : weights) {
    CHECK_MESSAGE(std::abs(w) <= 2 / std::sqrt(100.0), w);
    sum += w;
    squares += w * w;
  }
  const auto count = static_cast<double>(weights.size());
  // 20,000 draws of deviation 0.088: five standard errors.
  CHECK(std::abs(sum / count) < 5 * 0.088 / std::sqrt(count));
  CHECK(squares / count == doctest::Approx(0.7737 / in).epsilon(0.05));
  for (const std::size_t i : {1U, 3U}) {
    for (const double b : parameters[i].parameter->value().storage()) CHECK(b == 0);
  }
}

TEST_CASE("mlp: layers differ, seeds differ, and equal seeds give equal weights") {
  const auto weights = [](std::uint64_t seed, std::size_t layer) {
    Mlp<double> mlp(std::vector<Index>{4, 4, 4}, activation_named<double>("sin"), RandomKey(seed));
    return parameters_of(mlp)[2 * layer].parameter->value();
  };
  CHECK(weights(1, 0) == weights(1, 0));
  CHECK_FALSE(weights(1, 0) == weights(1, 1));
  CHECK_FALSE(weights(1, 0) == weights(2, 0));
}

TEST_CASE("mlp: parameters are named by where they stand") {
  Mlp<float> mlp(std::vector<Index>{4, 8, 2}, activation_named<float>("tanh"), RandomKey(1));
  const Description<float> outer = Description<float>("outer").child("part", mlp);
  const NamedParameters<float>& list = outer.parameters();
  REQUIRE(list.size() == 4);
  CHECK(list[0].name == "part.layers.0.weight");
  CHECK(list[1].name == "part.layers.0.bias");
  CHECK(list[2].name == "part.layers.1.weight");
  CHECK(list[3].name == "part.layers.1.bias");
  CHECK(list[0].parameter->value().shape() == Shape{8, 4});
  CHECK(list[3].parameter->value().shape() == Shape{2});
}

TEST_CASE("mlp: impossible sizes, unknown activations and wrong rows are refused") {
  const Activation<double> tanh = activation_named<double>("tanh");
  CHECK_THROWS_AS(Mlp<double>(std::vector<Index>{3}, tanh, RandomKey(1)), std::invalid_argument);
  CHECK_THROWS_AS(Mlp<double>(std::vector<Index>{3, 0, 2}, tanh, RandomKey(1)),
                  std::invalid_argument);
  CHECK_THROWS_AS(Mlp<double>(std::vector<Index>{3, -1}, tanh, RandomKey(1)),
                  std::invalid_argument);
  CHECK_THROWS_WITH_AS(activation_named<float>("relu"), doctest::Contains("softplus"),
                       std::invalid_argument);
  Mlp<double> mlp(std::vector<Index>{3, 2}, tanh, RandomKey(1));
  Tape<double> tape;
  CHECK_THROWS_AS(mlp.forward(tape.input(Tensor<double>{{1, 2}})), std::invalid_argument);
}

TEST_CASE("mlp: the time stands before the state, repeated or once") {
  Tape<double> tape;
  const Var<double> t = tape.scalar(0.5);
  const Var<double> x = tape.input(Tensor<double>{{1, 2, 3}, {4, 5, 6}});
  CHECK(Tensor<double>(with_time(TimeInput::repeat, t, x).value()) ==
        Tensor<double>{{.5, .5, .5, 1, 2, 3}, {.5, .5, .5, 4, 5, 6}});
  CHECK(Tensor<double>(with_time(TimeInput::concat, t, x).value()) ==
        Tensor<double>{{.5, 1, 2, 3}, {.5, 4, 5, 6}});
  CHECK(input_width(TimeInput::repeat, 3) == 6);
  CHECK(input_width(TimeInput::concat, 3) == 4);
  for (const TimeInput input : {TimeInput::repeat, TimeInput::concat})
    CHECK(time_input_named(name_of(input)) == input);
  CHECK_THROWS_WITH_AS(time_input_named("none"), doctest::Contains("concat"),
                       std::invalid_argument);
  CHECK_THROWS_AS(with_time(TimeInput::concat, t, t), std::invalid_argument);
}

TEST_CASE_TEMPLATE("mlp: the fused form equals the form in pieces", T, float, double) {
  Mlp<T> mlp(std::vector<Index>{4, 8, 8, 2}, activation_named<T>("tanh"), RandomKey(3));
  set_biases(mlp);
  REQUIRE(mlp.is_fusible());
  // Registers one by one and several at once, and rows that fill none.
  constexpr Index rows = 61;
  Tensor<T> points = Tensor<T>::zeros({rows, 2});
  RandomKey(4).normal(std::span(points.data(), 2 * rows));
  Tape<T> tape;
  const Var<T> t = tape.scalar(T(0.3));
  const Var<T> x = tape.input(points);
  const Tensor<T> pieces(mlp.forward(with_time(TimeInput::repeat, t, x)).value());
  const Tensor<T> piece(mlp.fused(t, x).value());
  const Tensor<T> with_divergence(mlp.fused_with_divergence(t, x).value());
  REQUIRE(with_divergence.shape() == Shape{rows, 3});
  constexpr T tolerance = 40 * std::numeric_limits<T>::epsilon();
  for (Index row = 0; row < rows; ++row) {
    for (Index d = 0; d < 2; ++d) {
      CHECK(std::abs(piece(row, d) - pieces(row, d)) < tolerance);
      CHECK(with_divergence(row, d) == piece(row, d));
    }
  }
}

TEST_CASE("mlp: wide networks, and those of other activations, refuse to be one piece") {
  const auto refuses = [](const std::vector<Index>& sizes, const char* activation) {
    const Mlp<double> mlp(sizes, activation_named<double>(activation), RandomKey(3));
    Tape<double> tape;
    const Var<double> t = tape.scalar(0.3);
    const Var<double> x = tape.input(Tensor<double>::ones({3, 2}));
    CHECK_FALSE(mlp.is_fusible());
    CHECK_THROWS_AS(mlp.fused(t, x), std::invalid_argument);
    CHECK_THROWS_AS(mlp.fused_with_divergence(t, x), std::invalid_argument);
  };
  refuses({4, 17, 2}, "tanh");
  refuses({4, 8, 2}, "silu");
  refuses({4, 2}, "tanh");
}

}  // namespace
}  // namespace fjord::nn
