#include "fjord/flows/potential_field.hpp"

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"
#include "fjord/tests/support/sine_weights.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::worst_difference;

TEST_CASE("potential_field: slopes and divergence are those that torch finds of the potential") {
  PotentialField<double> field({.dim = 2, .width = 3, .layers = 2, .rank = 5}, RandomKey(1));
  test::set_sine_weights(field);
  Tape<double> tape;
  const Var<double> t = tape.scalar(0.4);
  const Var<double> x = tape.input({{0.3, -0.7}});
  // By autograd of torch 2.15.0, from log(exp y + exp -y) as it is written.
  CHECK(worst_difference(Tensor<double>(field.with_divergence(t, x, {}).value()),
                         {{1.0742748119140555, 0.4177526871530406, -3.0142055489436803}}) < 1e-13);
  CHECK(worst_difference(Tensor<double>(field.slope(t, x, {}).value()),
                         {{1.0742748119140555, 0.4177526871530406}}) < 1e-13);
  CHECK(field.potential_time_slope(t, x, {}).item() ==
        doctest::Approx(0.6228493316112567).epsilon(1e-13));
}

TEST_CASE("potential_field: the divergence is that of tangents, also for large states") {
  for (const Index layers : {1, 3}) {
    PotentialField<double> field({.dim = 3, .width = 4, .layers = layers, .given = 2},
                                 RandomKey(1));
    test::set_sine_weights(field);
    for (const double size : {1.0, 1e3}) {
      Tape<double> tape;
      const Var<double> t = tape.scalar(0.4);
      const Var<double> x = tape.input(normals({5, 3}, 2, size));
      const Var<double> given = tape.input(normals({5, 2}, 3));
      const Var<double> slope = field.slope(t, x, given);
      const Var<double> both = field.with_divergence(t, x, given);
      CHECK(Tensor<double>(slice(both, 1, 0, 3).value()) == Tensor<double>(slope.value()));
      const Var<double> divergence = exact_divergence(x, slope, unit_tangents(x));
      CHECK(worst_difference(Tensor<double>(reshape(slice(both, 1, 3, 4), {5}).value()),
                             Tensor<double>(divergence.value())) < 1e-12);
    }
  }
}

TEST_CASE("potential_field: every route, company, precision and the file agree") {
  for (const Index given : {0, 2}) {
    const auto make = [&](const RandomKey& key) {
      return std::make_unique<Ffjord<double>>(
          std::make_unique<PotentialField<double>>(
              PotentialOptions{.dim = 3, .width = 4, .layers = 2, .given = given}, key),
          FfjordOptions{.solver = test::numerics(1e-11)});
    };
    test::check_bijector({.name = "a potential",
                          .make = make,
                          .x = normals({3, 3}, 8),
                          .given = given > 0 ? normals({3, given}, 9) : Tensor<double>(),
                          .tolerance = 1e-7,
                          .disturbance = 0.1,
                          .idle = {"field.c"}});
  }
}

TEST_CASE("potential_field: the residual of Hamilton, Jacobi and Bellman trains c, too") {
  PotentialField<double>* field = nullptr;
  auto made = std::make_unique<PotentialField<double>>(PotentialOptions{.width = 4}, RandomKey(1));
  field = made.get();
  const Ffjord<double> flow(std::move(made), {.solver = test::numerics(1e-8)});
  const Regularizer<double>* list[]{&regularizer_named<double>("hamilton_jacobi_bellman")};
  Tape<double> tape;
  Context<double> context{.regularizers = list};
  flow.inverse_with_log_det(tape.input(normals({6, 2}, 2)), context);
  const nn::NamedParameters<double> parameters = nn::parameters_of(*field);
  const Var<double> c = tape.bind(*parameters.back().parameter);
  CHECK(parameters.back().name == "c");
  const auto slopes =
      pullback<double>({context.penalties}, {tape.input(Tensor<double>::ones({6, 1}))}, {c});
  CHECK(std::abs(slopes[0].item()) > 0.1);
}

TEST_CASE("potential_field: options out of their range and other shapes are refused") {
  for (const PotentialOptions& o :
       {PotentialOptions{.dim = 0}, {.width = 0}, {.layers = 0}, {.rank = 0}, {.given = -1}}) {
    CHECK_THROWS_WITH_AS(PotentialField<double>(o, RandomKey(1)),
                         doctest::Contains("must be positive, given not negative"),
                         std::invalid_argument);
  }
  const PotentialField<double> field({.given = 1}, RandomKey(1));
  Tape<double> tape;
  const Var<double> x = tape.input(normals({5, 2}, 2));
  CHECK_THROWS_WITH_AS(field.slope(tape.scalar(0), x, {}), doctest::Contains("Context::given"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(field.slope(tape.scalar(0), slice(x, 1, 0, 1), {}),
                       doctest::Contains("rows of 2 numbers"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
