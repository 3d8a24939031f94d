#include "fjord/flows/planar.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/flows/radial.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

void set(Bijector<double>& flow, const std::vector<std::vector<double>>& numbers) {
  const auto parameters = nn::parameters_of(flow);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    std::ranges::copy(numbers[i], parameters[i].parameter->mutable_values().begin());
}

struct Image {
  Tensor<double> y;
  Tensor<double> log_det;
};

Image forward(const Bijector<double>& flow, const Tensor<double>& x) {
  Tape<double> tape;
  Context<double> context;
  const WithLogDet<double> y = flow.forward_with_log_det(tape.input(x), context);
  return {Tensor<double>(y.value.value()), Tensor<double>(y.log_det.value())};
}

TEST_CASE("planar: it and radial flows are bijectors") {
  for (const Index dim : {1, 2, 3, 4}) {
    test::check_bijector(
        {.name = "planar",
         .make = [&](const RandomKey& key) { return std::make_unique<Planar<double>>(dim, key); },
         .x = test::normals({4, dim}, 8)});
    test::check_bijector(
        {.name = "radial",
         .make = [&](const RandomKey& key) { return std::make_unique<Radial<double>>(dim, key); },
         .x = test::normals({4, dim}, 8),
         .tolerance = 1e-8});
  }
}

TEST_CASE("planar: strong ones are inverted, too") {
  for (const double strength : {-30.0, -3.0, 3.0, 300.0}) {
    CAPTURE(strength);
    Planar<double> planar(3, RandomKey(1));
    set(planar, {{1, -2, 0.5}, {strength, 0, 0}, {0.3}});
    const Tensor<double> x = test::normals({40, 3}, 8, 3.0);
    const Image image = forward(planar, x);
    Tape<double> tape;
    Context<double> context;
    const WithLogDet<double> back = planar.inverse_with_log_det(tape.input(image.y), context);
    // Where w . v is nearly -1, the inverse is as steep as its determinant says.
    const double steepest = std::exp(-*std::ranges::min_element(image.log_det.storage()));
    CHECK(test::worst_difference(Tensor<double>(back.value.value()), x) <
          1e-13 * (1 + std::abs(strength)) * (1 + steepest));
  }
}

TEST_CASE("planar: fresh flows are the identity") {
  const Tensor<double> x = test::normals({4, 3}, 8);
  const Planar<double> planar(3, RandomKey(1));
  const Radial<double> radial(3, RandomKey(1));
  for (const Bijector<double>* flow : {static_cast<const Bijector<double>*>(&planar),
                                       static_cast<const Bijector<double>*>(&radial)}) {
    const Image image = forward(*flow, x);
    CHECK(test::worst_difference(image.y, x) < 1e-15);
    CHECK(test::worst_difference(image.log_det, Tensor<double>::zeros({4})) < 1e-15);
  }
}

TEST_CASE("planar: values are those of the paper's formulas") {
  // w . u = 0, so that softplus gives v = u.
  Planar<double> planar(2, RandomKey(1));
  set(planar, {{0.6, 0.8}, {0.4, -0.3}, {0.25}});
  const double t = std::tanh(0.6 * 1.5 - 0.8 * 0.5 + 0.25);
  const Image flat = forward(planar, {{1.5, -0.5}});
  CHECK(flat.y(0, 0) == doctest::Approx(1.5 + 0.4 * t).epsilon(1e-14));
  CHECK(flat.y(0, 1) == doctest::Approx(-0.5 - 0.3 * t).epsilon(1e-14));
  CHECK(std::abs(flat.log_det(0)) < 1e-15);
  // a = 2 and c = 2 (softplus(q + log(e - 1)) - 1) = 1 for softplus 1.5.
  Radial<double> radial(2, RandomKey(1));
  set(radial,
      {{1, 1}, {std::log(std::expm1(2))}, {std::log(std::expm1(1.5)) - std::log(std::expm1(1))}});
  const Image round = forward(radial, {{4, 5}});
  CHECK(round.y(0, 0) == doctest::Approx(4 + 3.0 / 7).epsilon(1e-14));
  CHECK(round.y(0, 1) == doctest::Approx(5 + 4.0 / 7).epsilon(1e-14));
  CHECK(round.log_det(0) ==
        doctest::Approx(std::log(1 + 1.0 / 7) + std::log(1 + 1.0 / 7 - 5.0 / 49)).epsilon(1e-14));
}

TEST_CASE("planar: a dim that is not positive, and rows of another, are refused") {
  CHECK_THROWS_AS(Planar<double>(0, RandomKey(1)), std::invalid_argument);
  CHECK_THROWS_AS(Radial<double>(0, RandomKey(1)), std::invalid_argument);
  CHECK_THROWS_AS(forward(Planar<double>(2, RandomKey(1)), Tensor<double>::zeros({1, 3})),
                  std::invalid_argument);
  CHECK_THROWS_AS(forward(Radial<double>(2, RandomKey(1)), Tensor<double>::zeros({1, 3})),
                  std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
