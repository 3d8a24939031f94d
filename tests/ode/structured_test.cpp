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

struct Ball {
  Var<double> height;
  Var<double> velocity;
};

auto members(Ball& b) {
  return std::tie(b.height, b.velocity);
}

TEST_CASE("structured: a ball that bounces, with the derivatives of its landings") {
  constexpr double g = 9.81;
  constexpr double kept = 0.8;
  constexpr double h0 = 3;
  const auto fall = [](const Var<double>&, const Ball& b) {
    return Ball{b.velocity, b.velocity * 0.0 - g};
  };
  const StructuredWatch<Ball> watch{
      {{[](const Var<double>&, const Ball& b) { return b.height; }, Crossing::falling, true},
       {[](const Var<double>&, const Ball& b) { return b.velocity; }}}};
  for (const GradientMode* mode : gradient_modes()) {
    SolveOptions options = tolerances(1e-10, 1e-10);
    options.gradient = mode;
    if (!mode->suits(*options.method)) continue;
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Var<double> height = tape.scalar(h0);
    Ball ball{height, tape.scalar(0)};
    Var<double> total = tape.scalar(0);
    // From height h it falls for sqrt(2 h / g), and lands with the velocity -sqrt(2 g h); then it
    // flies up and down, twice as long each as the velocity over g.
    double speed = std::sqrt(2 * g * h0);
    double expected = speed / g;
    for (int bounce = 0; bounce < 3; ++bounce) {
      const auto s = solve(fall, ball, {0, 10}, options, watch);
      REQUIRE(s.report.status == Status::event);
      REQUIRE(s.occurrences.size() == (bounce == 0 ? 1 : 2));
      if (bounce > 0) {
        CHECK(s.occurrences[0].event == 1);
        CHECK(s.occurrences[0].y.height.item() ==
              doctest::Approx(speed * speed / (2 * g)).epsilon(1e-8));
      }
      CHECK(s.occurrences.back().event == 0);
      CHECK(std::abs(s.y.height.item()) < 1e-8);
      CHECK(s.y.velocity.item() == doctest::Approx(-speed).epsilon(1e-8));
      total = total + s.occurrences.back().t;
      CHECK(total.item() == doctest::Approx(expected).epsilon(1e-8));
      if (!mode->has_derivatives()) break;
      ball = {tape.scalar(0), s.y.velocity * -kept};
      speed *= kept;
      expected += 2 * speed / g;
    }
    if (!mode->has_derivatives()) continue;
    // All times grow as the root of the height.
    const double slope = gradient_values(total, {height})[0].item();
    CHECK(slope == doctest::Approx(total.item() / (2 * h0)).epsilon(1e-7));
  }
}

TEST_CASE("structured: the caller sees the end of every step, and may end the solve") {
  Tape<double> tape;
  const auto fall = [](const Var<double>&, const Ball& b) {
    return Ball{b.velocity, b.velocity * 0.0 - 9.81};
  };
  std::size_t calls = 0;
  StructuredWatch<Ball> watch;
  watch.on_step = [&](double t, const Ball& b) {
    ++calls;
    CHECK(b.velocity.item() == doctest::Approx(-9.81 * t).epsilon(1e-9));
    return t < 1;
  };
  const Ball start{tape.scalar(0), tape.scalar(0)};
  const Report report = solve(fall, start, {0, 9}, tolerances(1e-8, 1e-8), watch).report;
  CHECK(report.status == Status::stopped);
  CHECK(report.t >= 1);
  CHECK(report.t < 9);
  CHECK(calls == report.accepted);
  watch.events = {{}};
  CHECK_THROWS_WITH_AS(solve(fall, start, {0, 9}, {}, watch),
                       doctest::Contains("an event needs a function"), std::invalid_argument);
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
  SolveOptions separate;
  separate.separate_rows = true;
  CHECK_THROWS_WITH_AS(solve(turn, start, {0, 1}, separate),
                       doctest::Contains("separate_rows needs a state that is one tensor"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::ode
