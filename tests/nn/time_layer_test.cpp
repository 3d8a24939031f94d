#include "fjord/nn/time_layer.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/nn/fourier_time.hpp"
#include "fjord/tests/support/sine_weights.hpp"

namespace fjord::nn {
namespace {

struct LayerCase {
  const char* type;
  Tensor<double> expected;  ///< at time 0.6, by the formulas in numpy 2.4.6
};

const std::vector<LayerCase> cases{
    {"ignore",
     {{0.2729196953831808, 1.561455995756892, 0.3200320515820632},
      {1.764464167372612, 0.9932297564276501, -0.698581316527481}}},
    {"concat",
     {{0.1348667024011656, -1.546158137395154, -0.1340564244513766},
      {0.9893126511155914, -2.564771505504698, 1.02833680956491}}},
    {"concatcoord",
     {{0.1348667024011656, -1.546158137395154, -0.1340564244513766},
      {0.9893126511155914, -2.564771505504698, 1.02833680956491}}},
    {"concat_v2",
     {{-0.05349297115044099, 0.9614618718264696, -0.001911699218197782},
      {1.43805150083899, 0.393235632497228, -1.020525067327742}}},
    {"squash",
     {{0.1428520197195566, 0.931299689283536, 0.1860526858122143},
      {0.9235583737482687, 0.5923923351422118, -0.4061247289315414}}},
    {"concatsquash",
     {{-0.02988997027948254, 0.3544611941558019, -0.2645396622507913},
      {0.7508163837492294, 0.01555384001447768, -0.856717076994547}}},
    {"hyper",
     {{1.283070604750754, -3.605511446948984, 4.925789786134787},
      {-2.505408530502233, -0.1443011186507636, 2.538446614712744}}},
    {"blend",
     {{0.258497974945442, -0.2253093775322448, -0.4173910962710927},
      {0.0539909189769372, -0.4832646740177641, 0.001810520903470447}}},
    {"gated",
     {{0.153354033107405, 0.3048165296491092, 0.09191422141976062},
      {0.4451937460202383, 0.1860404203227624, -0.4296869674026664}}}};

const Tensor<double> rows{{0.3, -0.7}, {1.1, 0.2}};

double worst(const Var<double>& found, const Tensor<double>& expected) {
  REQUIRE(found.shape() == expected.shape());
  double worst = 0;
  for (Index i = 0; i < expected.shape()[0]; ++i)
    for (Index j = 0; j < expected.shape()[1]; ++j)
      worst = std::max(worst, std::abs(found.value()(i, j) - expected(i, j)));
  return worst;
}

TEST_CASE("time_layer: all types give the numbers of their formulas") {
  REQUIRE(TimeLayer<double>::types().size() == cases.size());
  for (const LayerCase& c : cases) {
    CAPTURE(c.type);
    TimeLayer<double> layer(c.type, 1, 2, 3, RandomKey(1));
    test::set_sine_weights(layer);
    Tape<double> tape;
    const Var<double> x = tape.input(rows);
    CHECK(worst(layer.forward(tape.input({{0.6}}), x), c.expected) < 1e-13);
    // A column of times.
    CHECK(worst(layer.forward(tape.input({{0.6}, {0.6}}), x), c.expected) < 1e-13);
    const Activation<double> tanh = activation_named<double>("tanh");
    Tensor<double> activated = c.expected;
    for (double& number : activated.storage()) number = std::tanh(number);
    CHECK(worst(layer.forward(tape.input({{0.6}}), x, &tanh), activated) < 1e-13);
  }
}

TEST_CASE("time_layer: each row of a column of times has its own") {
  for (const std::string_view type : TimeLayer<double>::types()) {
    CAPTURE(type);
    const TimeLayer<double> layer(type, 1, 2, 3, RandomKey(1));
    Tape<double> tape;
    const Var<double> x = tape.input(rows);
    const Var<double> both = layer.forward(tape.input({{0.6}, {-0.3}}), x);
    const Var<double> second = layer.forward(tape.input({{-0.3}}), slice(x, 0, 1, 2));
    CHECK(worst(slice(both, 0, 1, 2), Tensor<double>(second.value())) < 1e-14);
  }
}

TEST_CASE("time_layer: derivatives in time and rows pass the check") {
  for (const std::string_view type : TimeLayer<double>::types()) {
    CAPTURE(type);
    TimeLayer<double> layer(type, 1, 2, 3, RandomKey(1));
    test::set_sine_weights(layer);
    const Activation<double> softplus = activation_named<double>("softplus");
    const CheckedFunction f = [&](const Vars<double>& in) {
      return layer.forward(in[0], in[1], &softplus);
    };
    const GradientCheck check = check_gradient(f, {Tensor<double>{{0.6}}, rows}, 1e-3);
    CHECK(check.reverse < 1e-8);
    CHECK(check.forward < 1e-12);
    CHECK(check.second < 1e-11);
  }
}

TEST_CASE("time_layer: set_zero gives zeros from few weights, which have gradients") {
  for (const std::string_view type : TimeLayer<double>::types()) {
    CAPTURE(type);
    TimeLayer<double> layer(type, 1, 2, 3, RandomKey(1));
    layer.set_zero();
    Tape<double> tape;
    const Var<double> y = layer.forward(tape.input({{0.6}}), tape.input(rows));
    CHECK(worst(y, Tensor<double>::zeros({2, 3})) == 0);
    double largest = 0;
    Vars<double> bound;
    for (const auto& p : parameters_of(layer)) bound.push_back(tape.bind(*p.parameter));
    const auto gradients = pullback<double>({y}, {tape.input(Tensor<double>::ones({2, 3}))}, bound);
    for (const Var<double>& g : gradients)
      for (const double number : Tensor<double>(g.value()).to_vector())
        largest = std::max(largest, std::abs(number));
    CHECK(largest > 0.1);
  }
}

TEST_CASE("time_layer: it counts its weights before it has them") {
  for (const std::string_view type : TimeLayer<float>::types()) {
    for (const Index time_width : {1, 4}) {
      if (type == "blend" && time_width > 1) continue;
      CAPTURE(type);
      TimeLayer<float> layer(type, time_width, 2, 3, RandomKey(1));
      Index count = 0;
      for (const auto& p : parameters_of(layer)) count += p.parameter->value().size();
      CHECK(TimeLayer<float>::weights(type, time_width, 2, 3) == static_cast<double>(count));
    }
  }
}

TEST_CASE("time_layer: other types, sizes and shapes are refused") {
  const auto refuses = [](auto f, const char* message) {
    CHECK_THROWS_WITH_AS(f(), doctest::Contains(message), std::invalid_argument);
  };
  refuses([] { TimeLayer<double>("linear", 1, 2, 3, RandomKey(1)); },
          "one of ignore, concat, concatcoord, concat_v2, squash, concatsquash, hyper, blend, "
          "gated is needed, got linear");
  refuses([] { TimeLayer<double>("squash", 1, 2, 0, RandomKey(1)); }, "sizes must be positive");
  refuses([] { TimeLayer<double>("blend", 2, 2, 3, RandomKey(1)); }, "blend needs the time itself");
  const TimeLayer<double> layer("squash", 1, 2, 3, RandomKey(1));
  Tape<double> tape;
  refuses([&] { layer.forward(tape.scalar(1), tape.input(rows)); },
          "time [1, K] or [B, K] and x [B, 2] are needed, got [] and [2, 2]");
}

TEST_CASE("fourier_time: cosines and sines of multiples of pi, or the time itself") {
  Tape<double> tape;
  const FourierTime<double> features(2);
  CHECK(features.width() == 4);
  const double root = std::numbers::sqrt2 / 2;
  CHECK(worst(features.forward(tape.scalar(0.25)), {{root, 0, root, 1}}) < 1e-15);
  CHECK(worst(features.forward(tape.input({{0.5}, {1}})), {{0, -1, 1, 0}, {-1, 1, 0, 0}}) < 1e-15);
  const FourierTime<double> itself(0);
  CHECK(itself.width() == 1);
  CHECK(worst(itself.forward(tape.scalar(0.25)), {{0.25}}) == 0);
  CHECK_THROWS_WITH_AS(FourierTime<double>(-1), doctest::Contains("must not be negative, got -1"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::nn
