/// Structured states against closed forms.
#include "fjord/ode/structured.hpp"

#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/scalar.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::tolerances;

struct Oscillator {
  Var<double> position;
  Var<double> velocity;
  double stiffness = 4;
};

auto members(Oscillator& o) {
  return std::tie(o.position, o.velocity);
}

TEST_CASE("structured: a struct, whose other parts are copied along") {
  Tape<double> tape;
  const Oscillator start{tape.input(Tensor<double>{1.0, 0.0}),
                         tape.input(Tensor<double>{0.0, 2.0})};
  const auto f = [](const Var<double>&, const Oscillator& o) {
    return Oscillator{o.velocity, o.position * -o.stiffness, o.stiffness};
  };
  SolveOptions options = tolerances(1e-10, 1e-10);
  options.save_at = {0.25, 0.7};
  const auto s = solve(f, start, {0, 0.7}, options);
  REQUIRE(s.report.status == Status::success);
  for (const auto& [t, o] : {std::pair{0.7, s.y}, {0.25, s.states[0]}, {0.7, s.states[1]}}) {
    CHECK(o.position.value().data()[0] == doctest::Approx(std::cos(2 * t)).epsilon(1e-8));
    CHECK(o.position.value().data()[1] == doctest::Approx(std::sin(2 * t)).epsilon(1e-8));
    CHECK(o.velocity.value().data()[0] == doctest::Approx(-2 * std::sin(2 * t)).epsilon(1e-8));
    CHECK(o.stiffness == 4);
  }
  const auto slope = gradient_values(s.y.position[0], {start.position, start.velocity});
  CHECK(slope[0].data()[0] == doctest::Approx(std::cos(1.4)).epsilon(1e-8));
  CHECK(slope[1].data()[0] == doctest::Approx(std::sin(1.4) / 2).epsilon(1e-8));
}

TEST_CASE_TEMPLATE("structured: a running integral, in every gradient mode", T, float, double) {
  // y' = -a y with the integral of y^2, (y0^2 - y^2) / (2 a).
  const double tolerance = std::is_same_v<T, double> ? 1e-9 : 1e-5;
  constexpr double y0 = 1.5;
  constexpr double a = 0.8;
  const double decay = std::exp(-2 * a);
  for (const GradientMode* mode : gradient_modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<T> tape;
    const Vars<T> inputs{tape.input(Tensor<T>::full({2, 1}, T(y0))), tape.scalar(T(a))};
    SolveOptions options = tolerances(tolerance, tolerance);
    options.gradient = mode;
    if (!mode->suits(*options.method)) {
      options.method = &reversible_dormand_prince;
      options.fixed_step = 0.02;
    }
    const auto f = [&](const Var<T>&, const std::pair<Var<T>, Var<T>>& state) {
      return std::pair{state.first * -inputs[1], sum(square(state.first))};
    };
    const auto s = solve(f, std::pair{inputs[0], tape.scalar(T(0))}, {0, 1}, options);
    REQUIRE(s.report.status == Status::success);
    const double exact = y0 * y0 * (1 - decay) / a;
    CHECK(static_cast<double>(s.y.second.item()) ==
          doctest::Approx(exact).epsilon(100 * tolerance));
    if (!mode->has_derivatives()) continue;
    const auto found = gradient_values(s.y.second, inputs);
    CHECK(static_cast<double>(found[0].data()[1]) ==
          doctest::Approx(y0 * (1 - decay) / a).epsilon(100 * tolerance));
    CHECK(static_cast<double>(found[1].item()) ==
          doctest::Approx(-exact / a + y0 * y0 * 2 * decay / a).epsilon(100 * tolerance));
  }
}

TEST_CASE("structured: lists of scalars, and slopes that do not fit") {
  Tape<double> tape;
  const std::vector<Scalar<double>> start{Scalar<double>(tape.scalar(1.0)), 2.0};
  const auto turn = [](const Var<double>&, const std::vector<Scalar<double>>& y) {
    return std::vector<Scalar<double>>{y[1], -y[0]};
  };
  const auto s = solve(turn, start, {0, 1}, tolerances(1e-10, 1e-10));
  CHECK(s.y[0].value() == doctest::Approx(std::cos(1) + 2 * std::sin(1)).epsilon(1e-8));
  const auto shorter = [](const Var<double>&, const std::vector<Scalar<double>>& y) {
    return std::vector<Scalar<double>>{y[0]};
  };
  CHECK_THROWS_WITH_AS(solve(shorter, start, {0, 1}),
                       doctest::Contains("as many variables as its state has, 2, got 1"),
                       std::invalid_argument);
  const auto wider = [](const Var<double>&, const std::vector<Var<double>>& y) {
    return std::vector{sum(y[0])};
  };
  CHECK_THROWS_WITH_AS(solve(wider, std::vector{tape.input(Tensor<double>{1.0, 2.0})}, {0, 1}),
                       doctest::Contains("shapes of its state, got [] in place of [2]"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::ode
