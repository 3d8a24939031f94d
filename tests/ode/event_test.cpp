// Events, saved states and the caller's function, on both kinds of state.
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

TEST_CASE("saved states: at given times, forward and backward, recorded and not") {
  for (const TimeSpan span : {TimeSpan{0, 2}, TimeSpan{2, 0}}) {
    SolveOptions options = tolerances(1e-9, 1e-9);
    options.save_at = {span.t0, 0.25 * span.t1 + 0.75 * span.t0, 1, span.t1};
    for (const GradientMode* mode : {static_cast<const GradientMode*>(&direct),
                                     static_cast<const GradientMode*>(&values_only)}) {
      options.gradient = mode;
      Tape<double> tape;
      const Number y0 = tape.scalar(1.5);
      const Field<double> decay = [](const Number&, const Number& y) { return -y; };
      const Solution<double> s = solve(decay, y0, span, options);
      CHECK(s.times == options.save_at);
      REQUIRE(s.states.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) {
        const double exact = std::exp(span.t0 - s.times[i]);
        CHECK(s.states[i].item() == doctest::Approx(1.5 * exact).epsilon(1e-7));
        if (mode == &direct)
          CHECK(gradient_values(s.states[i], {y0})[0].item() ==
                doctest::Approx(exact).epsilon(1e-7));
      }
    }
    const PlainField decay = [](double, std::span<const double> y, std::span<double> dydt) {
      dydt[0] = -y[0];
    };
    const Simulation s = simulate(decay, std::vector<double>{1.5}, span, options);
    CHECK(s.times == options.save_at);
    for (std::size_t i = 0; i < 4; ++i)
      CHECK(s.states[i] == doctest::Approx(1.5 * std::exp(span.t0 - s.times[i])).epsilon(1e-7));
  }
}

TEST_CASE("saved states: after every step, and the caller may end the solve") {
  const PlainField decay = [](double, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = -y[0];
  };
  SolveOptions options = tolerances(1e-8, 1e-8);
  options.save_steps = true;
  std::size_t calls = 0;
  const Watch watch{{}, [&](double t, std::span<const double>) {
                      ++calls;
                      return t < 1;
                    }};
  const Simulation s = simulate(decay, std::vector<double>{1}, {0, 50}, options, watch);
  CHECK(s.report.status == Status::stopped);
  CHECK(s.report.message().find("the caller ended the solve") == 0);
  CHECK(s.report.t >= 1);
  CHECK(s.report.t < 50);
  CHECK(s.times.size() == s.report.accepted + 1);
  CHECK(calls == s.report.accepted);
  CHECK(s.y[0] == s.states.back());
  CHECK(s.y[0] == doctest::Approx(std::exp(-s.report.t)).epsilon(1e-6));
}

TEST_CASE("saved states: functions of them") {
  const PlainField decay = [](double, std::span<const double> y, std::span<double> dydt) {
    for (std::size_t i = 0; i < 2; ++i) dydt[i] = -y[i];
  };
  SolveOptions options = tolerances(1e-9, 1e-9);
  options.save_at = {0.5, 1};
  Watch watch;
  watch.output = [](double t, std::span<const double> y, std::vector<double>& states) {
    states.push_back(t * (y[0] + y[1]));
  };
  const Simulation s = simulate(decay, std::vector<double>{1, 2}, {0, 1}, options, watch);
  REQUIRE(s.states.size() == 2);
  CHECK(s.states[0] == doctest::Approx(0.5 * 3 * std::exp(-0.5)).epsilon(1e-7));
  CHECK(s.states[1] == doctest::Approx(3 * std::exp(-1)).epsilon(1e-7));
}

TEST_CASE("saved states: those of all steps only where they are kept") {
  Tape<double> tape;
  const Field<double> decay = [](const Number&, const Number& y) { return -y; };
  const Number y0 = tape.input(Tensor<double>{1.5, 1.0});
  const Problem<double> fixed{decay, y0, {0, 1}};
  const Problem<double> moving{decay, y0, {0, 1}, {tape.scalar(0), tape.scalar(1)}};
  SolveOptions options;
  options.save_steps = true;
  CHECK(solve(fixed, options).states.size() > 2);
  const auto refuses = [](const Problem<double>& problem, const SolveOptions& with) {
    CHECK_THROWS_WITH_AS(solve(problem, with),
                         doctest::Contains("save_steps needs the gradient mode direct"),
                         std::invalid_argument);
  };
  refuses(moving, options);
  options.separate_rows = true;
  refuses(fixed, options);
  options.separate_rows = false;
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&checkpointed),
                                   static_cast<const GradientMode*>(&backsolve)}) {
    options.gradient = mode;
    refuses(fixed, options);
  }
}

}  // namespace
}  // namespace fjord::ode
