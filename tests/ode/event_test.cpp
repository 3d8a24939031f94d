/// Events and the caller's function, on both kinds of state.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::tolerances;
using Number = Var<double>;

constexpr double gravity = 9.81;

/// A ball thrown up: height h0 + v0 t - g t^2 / 2.
double landing_time(double height, double speed) {
  return (speed + std::sqrt(speed * speed + 2 * gravity * height)) / gravity;
}

const PlainField plain_fall = [](double, std::span<const double> y, std::span<double> dydt) {
  dydt[0] = y[1];
  dydt[1] = -gravity;
};

const Field<double> fall = [](const Number&, const Number& y) {
  return concatenate<double>({slice(y, 0, 1, 2), y.tape().input(Tensor<double>{-gravity})}, 0);
};

const Event<double> ground{[](const Number&, const Number& y) { return y[0]; }, Crossing::falling,
                           true};

TEST_CASE("event: a terminal one ends the solve at its zero, with every method") {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    SolveOptions options = tolerances(1e-10, 1e-12);
    options.max_steps = 10'000'000;
    options.method = method;
    if (method->error_order() == 0) options.fixed_step = 1e-3;
    const PlainEvent landing{[](double, std::span<const double> y) { return y[0]; },
                             Crossing::falling, true};
    const Simulation s =
        simulate(plain_fall, std::vector<double>{2, 5}, {0, 10}, options, {{landing}, {}});
    CHECK(s.report.status == Status::event);
    const double exact = landing_time(2, 5);
    // A method of order 1 is off by a step's length times the acceleration.
    const double bound = method->order() == 1 ? 1e-2 : 1e-8;
    CHECK(std::abs(s.report.t - exact) < bound);
    CHECK(std::abs(s.y[0]) < 1e-8);
    REQUIRE(s.occurrences.size() == 1);
    CHECK(s.occurrences[0].t == s.report.t);
    CHECK(s.occurrences[0].y == s.y);
  }
}

TEST_CASE("event: the time and the state have their derivatives, up to third order") {
  Tape<double> tape;
  const auto landing = [&](const Number& start) {
    const Field<double> f = fall;
    Problem<double> problem{f, start, {0, 10}};
    problem.events = {ground};
    const Solution<double> s = solve(problem, tolerances(1e-10, 1e-12));
    REQUIRE(s.report.status == Status::event);
    REQUIRE(s.occurrences.size() == 1);
    return s.occurrences[0];
  };
  const Number start = tape.input(Tensor<double>{2, 5});
  const double root = std::sqrt(25 + 4 * gravity);
  CHECK(landing(start).t.item() == doctest::Approx(landing_time(2, 5)).epsilon(1e-12));
  const auto time = [&](const Number& y) { return landing(y).t; };
  const auto speed = [&](const Number& y) { return landing(y).y[1]; };
  // t = (v + r) / g and speed -r, with r = sqrt(v^2 + 2 g h).
  const Tensor<double> of_time(gradient(time, start).value());
  CHECK(of_time(0) == doctest::Approx(1 / root).epsilon(1e-9));
  CHECK(of_time(1) == doctest::Approx((1 + 5 / root) / gravity).epsilon(1e-9));
  const Tensor<double> of_speed(gradient(speed, start).value());
  CHECK(of_speed(0) == doctest::Approx(-gravity / root).epsilon(1e-9));
  CHECK(of_speed(1) == doctest::Approx(-5 / root).epsilon(1e-9));
  // In h alone: t'' = -g / r^3, t''' = 3 g^2 / r^5.
  const Number up = tape.input(Tensor<double>{1, 0});
  const auto once = [&](const Number& y) { return jvp(time, y, up); };
  const auto twice = [&](const Number& y) { return jvp(once, y, up); };
  CHECK(twice(start).item() == doctest::Approx(-gravity / std::pow(root, 3)).epsilon(1e-7));
  CHECK(jvp(twice, start, up).item() ==
        doctest::Approx(3 * gravity * gravity / std::pow(root, 5)).epsilon(1e-6));
}

TEST_CASE("event: others are found in their order, and only in their direction") {
  const PlainField circle = [](double, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = y[1];
    dydt[1] = -y[0];
  };
  // y = (sin t, cos t).
  const auto first = [](double, std::span<const double> y) { return y[0]; };
  const auto second = [](double, std::span<const double> y) { return y[1]; };
  const Watch watch{
      {{first, Crossing::any}, {second, Crossing::rising}, {second, Crossing::falling}}, {}};
  const double pi = std::acos(-1.0);
  const Simulation s =
      simulate(circle, std::vector<double>{0, 1}, {0, 7}, tolerances(1e-10, 1e-10), watch);
  CHECK(s.report.status == Status::success);
  const std::vector<std::pair<std::size_t, double>> expected{
      {2, pi / 2}, {0, pi}, {1, 1.5 * pi}, {0, 2 * pi}};
  REQUIRE(s.occurrences.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(s.occurrences[i].event == expected[i].first);
    CHECK(s.occurrences[i].t == doctest::Approx(expected[i].second).epsilon(1e-8));
  }
}

TEST_CASE("event: a field that only touches the zero from one side is no passage") {
  // y = (t - 1)^2 has no sign change at 1.
  const PlainField f = [](double t, std::span<const double>, std::span<double> dydt) {
    dydt[0] = 2 * (t - 1);
  };
  const PlainEvent touch{[](double, std::span<const double> y) { return y[0] + 1e-6; }};
  const Simulation s =
      simulate(f, std::vector<double>{1}, {0, 2}, tolerances(1e-10, 1e-10), {{touch}, {}});
  CHECK(s.occurrences.empty());
}

TEST_CASE("event: a function that is NaN at the end of a step ends the solve, in every mode") {
  const Field<double> rise = [](const Number&, const Number& y) { return y * 0.0 + 1.0; };
  const PlainField plain_rise = [](double, auto, auto dydt) { dydt[0] = 1; };
  // NaN after t = 0.5, or before it; zero at 2, or only within the steps.
  const std::vector<std::function<double(double)>> functions{
      [](double t) { return t > 0.5 ? std::nan("") : t - 2; },
      [](double t) { return t < 0.5 ? std::nan("") : t - 2; },
      [](double t) { return std::sqrt(0.5 - t) - 2; },
      [](double t) { return t > 0.5 && t < 0.8 ? std::nan("") : t - 0.6; }};
  for (const auto& function : functions) {
    const auto check = [&](const Report& report, double y) {
      CAPTURE(report.message());
      CHECK(report.status == Status::event_undefined);
      CHECK(std::isnan(function(report.t)));
      CHECK(y == doctest::Approx(report.t));
      CHECK(report.message().find("the function of an event was NaN at t = ") == 0);
      CHECK_FALSE(report.remedy().empty());
    };
    const bool is_late = function(1) > 0;
    SolveOptions options;
    options.largest_step = is_late ? 1 : 0.3;
    const PlainEvent plain{[&](double t, auto) { return function(t); }};
    const Simulation simulated =
        simulate(plain_rise, std::vector<double>{0}, {0, 3}, options, {{plain}, {}});
    check(simulated.report, simulated.y[0]);
    CHECK(simulated.occurrences.empty());
    for (const GradientMode* mode : gradient_modes()) {
      if (!mode->suits(*options.method)) continue;
      options.gradient = mode;
      Tape<double> tape;
      Problem<double> problem{rise, tape.scalar(0), {0, 3}};
      problem.events = {
          {[&](const Number& t, const Number& y) { return y * 0.0 + function(t.item()); }}};
      const Solution<double> s = solve(problem, options);
      check(s.report, s.y.item());
      CHECK(s.occurrences.empty());
    }
  }
}

TEST_CASE("event: NaN behind the end that a terminal event makes does not matter") {
  // Both functions are of the height, which is 0 at the landing; the root is NaN behind it.
  const PlainEvent landing{[](double, auto y) { return y[0]; }, Crossing::falling, true};
  const PlainEvent low{[](double, auto y) { return std::sqrt(y[0]) - 0.5; }, Crossing::falling};
  const PlainEvent never{[](double, auto y) { return std::sqrt(y[0] - 0.1) + 1; }};
  SolveOptions options = tolerances(1e-10, 1e-12);
  const std::vector<double> start{2, 5};
  const Simulation s = simulate(plain_fall, start, {0, 10}, options, {{low, landing}, {}});
  CHECK(s.report.status == Status::event);
  CHECK(s.report.t == doctest::Approx(landing_time(2, 5)).epsilon(1e-9));
  REQUIRE(s.occurrences.size() == 2);
  CHECK(s.occurrences[0].event == 0);
  CHECK(s.occurrences[0].t == doctest::Approx(landing_time(1.75, 5)).epsilon(1e-9));
  const Simulation lost = simulate(plain_fall, start, {0, 10}, options, {{never, landing}, {}});
  CHECK(lost.report.status == Status::event_undefined);
  CHECK(lost.y[0] < 0.1);
}

TEST_CASE("event: a function of several numbers is refused by its name") {
  const Field<double> decay = [](const Number&, const Number& y) { return -y; };
  Tape<double> tape;
  Problem<double> problem{decay, tape.input({1, 2}), {0, 1}};
  problem.events = {{[](const Number&, const Number& y) { return y; }}};
  CHECK_THROWS_WITH_AS(solve(problem),
                       "[solve] an event's function must give one number, got shape [2]",
                       std::invalid_argument);
}

TEST_CASE("event: a terminal one ends the solve also where the caller would after the same step") {
  const Event<double> half{[](const Number& t, const Number&) { return t - 0.5; }, Crossing::any,
                           true};
  const Field<double> decay = [](const Number&, const Number& y) { return -y; };
  for (const GradientMode* mode : gradient_modes()) {
    SolveOptions options;
    options.gradient = mode;
    if (!mode->suits(*options.method)) continue;
    Tape<double> tape;
    Problem<double> problem{decay, tape.scalar(1), {0, 1}};
    problem.events = {half};
    std::vector<double> ends;
    problem.on_step = [&](double t, const Number&) {
      ends.push_back(t);
      return t < 0.5;
    };
    const Solution<double> s = solve(problem, options);
    CHECK(s.report.status == Status::event);
    CHECK(s.report.t == 0.5);
    CHECK(s.occurrences.size() == 1);
    CHECK(ends.back() == 0.5);
    CHECK(s.y.item() == doctest::Approx(std::exp(-0.5)).epsilon(1e-5));
  }
  const PlainField plain_decay = [](double, auto y, auto dydt) { dydt[0] = -y[0]; };
  const PlainEvent plain_half{[](double t, auto) { return t - 0.5; }, Crossing::any, true};
  const Watch watch{{plain_half}, [](double, auto) { return false; }};
  SolveOptions options;
  options.first_step = 0.7;
  options.atol = 1;
  const Report report =
      simulate(plain_decay, std::vector<double>{1}, {0, 1}, options, watch).report;
  CHECK(report.status == Status::event);
  CHECK(report.accepted == 1);
}

}  // namespace
}  // namespace fjord::ode
