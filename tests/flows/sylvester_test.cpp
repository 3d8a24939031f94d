#include "fjord/flows/sylvester.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

TEST_CASE("sylvester: it is a bijector") {
  struct Case {
    Index dim;
    Index reflections;
  };

  for (const Case& c : {Case{1, 1}, Case{2, 1}, Case{3, 2}, Case{4, 4}}) {
    test::check_bijector({.name = "sylvester",
                          .make =
                              [&](const RandomKey& key) {
                                return std::make_unique<Sylvester<double>>(c.dim, c.reflections,
                                                                           key);
                              },
                          .x = test::normals({4, c.dim}, 8),
                          .tolerance = 1e-8});
  }
}

TEST_CASE("sylvester: a fresh one is the identity") {
  const Sylvester<double> flow(3, 3, RandomKey(1));
  Tape<double> tape;
  Context<double> context;
  const Tensor<double> x = test::normals({4, 3}, 8);
  const WithLogDet<double> y = flow.forward_with_log_det(tape.input(x), context);
  CHECK(test::worst_difference(Tensor<double>(y.value.value()), x) < 1e-15);
  CHECK(test::worst_difference(Tensor<double>(y.log_det.value()), Tensor<double>::zeros({4})) <
        1e-15);
}

TEST_CASE("sylvester: values are those of the paper's formula, with a reflection that swaps") {
  Sylvester<double> flow(2, 1, RandomKey(1));
  const auto parameters = nn::parameters_of(flow);
  const auto set = [&](std::size_t i, const Tensor<double>& numbers) {
    std::ranges::copy(numbers.storage(), parameters[i].parameter->mutable_values().begin());
  };
  // R = [[0.5, 2], [0, -0.25]], S = [[0.4, 3], [0, 0.8]]; Q swaps the columns.
  set(0, {{std::atanh(0.5), 2}, {3, std::atanh(-0.25)}});
  set(1, {std::atanh(0.4), std::atanh(0.8)});
  set(2, {0.1, -0.2});
  set(3, {{1, -1}});
  Tape<double> tape;
  Context<double> context;
  const WithLogDet<double> y = flow.forward_with_log_det(tape.input({{0.7, -0.3}}), context);
  const double first = std::tanh(0.4 * -0.3 + 3 * 0.7 + 0.1);
  const double second = std::tanh(0.8 * 0.7 - 0.2);
  const Tensor<double> value(y.value.value());
  CHECK(value(0, 0) == doctest::Approx(0.7 - 0.25 * second).epsilon(1e-14));
  CHECK(value(0, 1) == doctest::Approx(-0.3 + 0.5 * first + 2 * second).epsilon(1e-14));
  CHECK(y.log_det.item() == doctest::Approx(std::log(1 + 0.2 * (1 - first * first)) +
                                            std::log(1 - 0.2 * (1 - second * second)))
                                .epsilon(1e-13));
}

TEST_CASE("sylvester: sizes that are not positive, and rows of another width, are refused") {
  CHECK_THROWS_AS(Sylvester<double>(0, 1, RandomKey(1)), std::invalid_argument);
  CHECK_THROWS_AS(Sylvester<double>(2, 0, RandomKey(1)), std::invalid_argument);
  Tape<double> tape;
  Context<double> context;
  const Sylvester<double> flow(2, 1, RandomKey(1));
  CHECK_THROWS_AS(flow.forward(tape.input(Tensor<double>::zeros({1, 3})), context),
                  std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
