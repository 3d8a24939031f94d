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
  for (const std::vector<Index>& hidden : {std::vector<Index>{5, 4}, std::vector<Index>{}}) {
    test::check_bijector({.name = "conditional affine",
                          .make =
                              [&](const RandomKey& key) {
                                return std::make_unique<ConditionalAffine<double>>(
                                    3, 2, ConditionalAffineOptions{hidden, "softplus"}, key);
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
}

}  // namespace
}  // namespace fjord::flows
