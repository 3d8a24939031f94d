#include "fjord/nn/masked_mlp.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
namespace {

MaskedMlp<double> network(const MaskedSizes& sizes) {
  return {sizes, activation_named<double>("tanh"), RandomKey(1)};
}

TEST_CASE("masked_mlp: an output depends on the inputs of lower degree, and on all of those") {
  const std::vector<Index> inputs{2, 0, 1, 3};
  const std::vector<Index> outputs{1, 3, 2, 3, 1};
  for (const std::vector<Index>& hidden : {std::vector<Index>{}, {6}, {7, 6}}) {
    const MaskedMlp<double> mlp = network({inputs, hidden, outputs});
    const Tensor<double> x{{0.3, -0.2, 0.9, 0.5}};
    const Tensor<double> jacobian =
        fjord::jacobian<double>([&](const Var<double>& z) { return mlp.forward(z); }, x)
            .reshaped({5, 4});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      for (std::size_t j = 0; j < inputs.size(); ++j)
        CHECK((jacobian(i, j) != 0) == (inputs[j] < outputs[i]));
    }
  }
}

TEST_CASE("masked_mlp: one hidden layer is tanh of the sums that its degrees allow") {
  MaskedMlp<double> mlp = network({{1, 2}, {2}, {1, 2}});
  for (const NamedParameter<double>& p : parameters_of(mlp))
    RandomKey(3).fold(p.name.size()).normal(p.parameter->mutable_values());
  const NamedParameters<double> p = parameters_of(mlp);
  CHECK(p[0].name == "layers.0.weight");
  const auto value = [&](std::size_t k) { return p[k].parameter->value(); };
  // Both hidden units are of degree 1: they see input 0, and output 1 sees them.
  const double x0 = 0.7;
  const auto hidden = [&](Index unit) {
    return std::tanh(value(0)(unit, 0) * x0 + value(1)(unit));
  };
  Tape<double> tape;
  const Tensor<double> y(mlp.forward(tape.input(Tensor<double>{{x0, 99}})).value());
  CHECK(y(0, 0) == value(3)(0));
  CHECK(y(0, 1) ==
        doctest::Approx(value(2)(1, 0) * hidden(0) + value(2)(1, 1) * hidden(1) + value(3)(1))
            .epsilon(1e-14));
}

TEST_CASE("masked_mlp: wrong degrees and widths are refused") {
  CHECK_THROWS_AS(network({{}, {3}, {1}}), std::invalid_argument);
  CHECK_THROWS_AS(network({{1}, {3}, {}}), std::invalid_argument);
  CHECK_THROWS_AS(network({{1}, {0}, {1}}), std::invalid_argument);
  CHECK_THROWS_AS(network({{-1}, {3}, {1}}), std::invalid_argument);
  CHECK_THROWS_AS(network({{1}, {3}, {0}}), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::nn
