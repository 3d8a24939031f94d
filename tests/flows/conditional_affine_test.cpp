#include "fjord/flows/conditional_affine.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::normals;

TEST_CASE("conditional_affine: every route, company, precision and the file agree") {
  using Options = ConditionalAffineOptions;
  for (const Options& options :
       {Options{{5, 4}, "softplus"}, Options{{}, "softplus"}, Options{{}, "tanh", 0.5}}) {
    test::check_bijector({.name = "conditional affine",
                          .make =
                              [&](const RandomKey& key) {
                                return std::make_unique<ConditionalAffine<double>>(3, 2, options,
                                                                                   key);
                              },
                          .x = normals({4, 3}, 1),
                          .given = normals({4, 2}, 2)});
  }
}

TEST_CASE("conditional_affine: a fresh map is the identity") {
  const ConditionalAffine<double> map(3, 2, {}, RandomKey(1));
  const Tensor<double> x = normals({4, 3}, 1);
  Tape<double> tape;
  Context<double> context;
  context.given = tape.input(normals({4, 2}, 2));
  CHECK(Tensor<double>(map.forward(tape.input(x), context).value()) == x);
}

TEST_CASE("conditional_affine: without hidden layers it is a linear regression with its noise") {
  ConditionalAffine<double> map(1, 2, {{}, "tanh"}, RandomKey(1));
  const nn::NamedParameters<double> parameters = nn::parameters_of(map);
  // Column-major: (shift, log_scale) for the first given number, then for the second.
  const std::span<double> weight = parameters[0].parameter->mutable_values();
  const std::vector<double> numbers{2, -0.5, -1, 0.25};
  std::copy(numbers.begin(), numbers.end(), weight.begin());
  parameters[1].parameter->mutable_values()[0] = 3;
  Tape<double> tape;
  Context<double> context;
  context.given = tape.input(Tensor<double>{{1, 4}, {-2, 0}});
  // Shifts 2 a - b + 3 = 1 and -1, log scales -a / 2 + b / 4 = 0.5 and 1.
  const WithLogDet<double> z =
      map.inverse_with_log_det(tape.input(Tensor<double>{{3}, {0}}), context);
  CHECK(test::worst_difference(Tensor<double>(z.value.value()),
                               {{2 * std::exp(-0.5)}, {std::exp(-1)}}) < 1e-15);
  CHECK(test::worst_difference(Tensor<double>(z.log_det.value()), {-0.5, -1}) < 1e-15);
}

TEST_CASE("conditional_affine: far from the training, the scale stays within its bound") {
  ConditionalAffine<double> map(1, 1, {{}, "tanh", 2}, RandomKey(1));
  const nn::NamedParameters<double> parameters = nn::parameters_of(map);
  const std::vector<double> numbers{3, -1};  // shift, a
  std::ranges::copy(numbers, parameters[0].parameter->mutable_values().begin());
  Tape<double> tape;
  Context<double> context;
  context.given = tape.input(Tensor<double>{{1}, {1e6}, {-1e6}});
  const WithLogDet<double> y =
      map.forward_with_log_det(tape.input(Tensor<double>{{1}, {1}, {1}}), context);
  const double near = -2 * std::tanh(0.5);
  CHECK(test::worst_difference(Tensor<double>(y.log_det.value()), {near, -2, 2}) < 1e-15);
  const Tensor<double> expected{{std::exp(near) + 3}, {std::exp(-2) + 3e6}, {std::exp(2) - 3e6}};
  CHECK(test::worst_difference(Tensor<double>(y.value.value()), expected) < 1e-9);
}

TEST_CASE("conditional_affine: a row needs what is given of it") {
  const ConditionalAffine<double> map(3, 2, {}, RandomKey(1));
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input(normals({4, 3}, 1));
  CHECK_THROWS_WITH_AS(map.forward(x, context), doctest::Contains("got nothing"),
                       std::invalid_argument);
  context.given = tape.input(normals({3, 2}, 1));
  CHECK_THROWS_WITH_AS(map.forward(x, context), doctest::Contains("must have shape [4, 2]"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(ConditionalAffine<double>(3, 0, {}, RandomKey(1)),
                       doctest::Contains("got 3 and 0"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(ConditionalAffine<double>(3, 2, {{}, "tanh", -1}, RandomKey(1)),
                       doctest::Contains("a positive bound is needed, got -1"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
