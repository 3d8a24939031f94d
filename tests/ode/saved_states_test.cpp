/// Saved states, on both kinds of state.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::tolerances;
using Number = Var<double>;

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

TEST_CASE("saved states: the first one once, whatever ends the solve there") {
  const PlainField decay = [](double, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = -y[0];
    dydt[1] = 0;
  };
  const PlainField undefined = [](double, std::span<const double>, std::span<double> dydt) {
    dydt[0] = dydt[1] = NAN;
  };
  SolveOptions options;
  std::size_t calls = 0;
  const auto count = [&](double, std::span<const double>) {
    ++calls;
    return true;
  };
  const auto check = [&](const PlainField& f, const Watch& watch, Status status) {
    for (const bool all_steps : {true, false}) {
      options.save_steps = all_steps;
      options.save_at = all_steps ? std::vector<double>{} : std::vector<double>{0, 1};
      const Simulation s = simulate(f, std::vector<double>{1.5, 0}, {0, 1}, options, watch);
      CHECK(s.report.status == status);
      CHECK(s.report.t == 0);
      CHECK(s.times == std::vector<double>{0});
      CHECK(s.states == std::vector<double>{1.5, 0});
      CHECK(s.y == std::vector<double>{1.5, 0});
      CHECK(s.occurrences.empty());
      CHECK(calls == 0);
    }
  };
  const PlainEvent root{[](double t, std::span<const double>) { return std::sqrt(t - 0.5); }};
  check(decay, {{root}, count}, Status::event_undefined);
  check(undefined, {{}, count}, Status::non_finite);
  options.fixed_step = 0.25;
  check(undefined, {{}, count}, Status::non_finite);
  options.method = &leapfrog;
  check(undefined, {{}, count}, Status::non_finite);
}

TEST_CASE("saved states: the first one once on nodes, where the solve ends at once") {
  const Field<double> decay = [](const Number&, const Number& y) { return -y; };
  SolveOptions options;
  options.save_steps = true;
  std::size_t calls = 0;
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&direct),
                                   static_cast<const GradientMode*>(&values_only)}) {
    options.gradient = mode;
    Tape<double> tape;
    const auto check = [&](const Problem<double>& problem, Status status) {
      const Solution<double> s = solve(problem, options);
      CHECK(s.report.status == status);
      CHECK(s.times == std::vector<double>{0});
      REQUIRE(s.states.size() == 1);
      CHECK(s.states[0].item() == 1.5);
      CHECK(s.y.item() == 1.5);
      CHECK(calls == 0);
    };
    Problem<double> problem{decay, tape.scalar(1.5), {0, 1}};
    problem.on_step = [&](double, const Number&) { return ++calls > 0; };
    problem.events = {{[](const Number& t, const Number&) { return sqrt(t - 0.5); }}};
    check(problem, Status::event_undefined);
    problem.events.clear();
    problem.span.t1 = 0;
    check(problem, Status::success);
    if (mode == &direct) continue;
    problem.times = {tape.scalar(0.0), tape.scalar(0.0)};
    check(problem, Status::success);
  }
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
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&checkpointed),
                                   static_cast<const GradientMode*>(&backsolve)}) {
    options.gradient = mode;
    refuses(fixed, options);
  }
}

}  // namespace
}  // namespace fjord::ode
