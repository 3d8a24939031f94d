/// Outputs, events and jumps in every gradient mode, against closed forms.
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/gradient_modes.hpp"

namespace fjord::ode {
namespace {

using test::Logistic;
using test::modes;
using test::Number;
using test::options_of;

TEST_CASE("gradient modes: losses at many times, in all inputs") {
  const Logistic start{0.2, 0.1, 3, 1.3};
  const std::vector<double> times{0.1, 0.7, 1.5, 1.5, 3};
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(start.y0), tape.scalar(start.t0), tape.scalar(start.t1),
                              tape.scalar(start.a)};
    SolveOptions options = options_of(*mode, 0.01);
    options.save_at = times;
    const auto field = [&](const Number&, const Number& y) { return inputs[3] * y * (1.0 - y); };
    for (const bool moves : {false, true}) {
      CAPTURE(moves);
      const Solution<double> s = moves ? solve(field, inputs[0], inputs[1], inputs[2], options)
                                       : solve(field, inputs[0], {start.t0, start.t1}, options);
      REQUIRE(s.report.status == Status::success);
      REQUIRE(s.times == times);
      // The last saved state and the end are two results, of which each moves along with t1 once.
      Number loss = s.y * 0.5;
      std::vector<double> expected(4);
      for (std::size_t k = 0; k < 4; ++k) {
        if (moves || k == 0 || k == 3) expected[k] = 0.5 * start.gradient()[k];
      }
      for (std::size_t i = 0; i < times.size(); ++i) {
        Logistic exact = start;
        exact.t1 = times[i];
        CHECK(s.states[i].item() == doctest::Approx(exact.y()).epsilon(1e-8));
        const double weight = 1.0 + static_cast<double>(i);
        loss = loss + s.states[i] * weight;
        for (std::size_t k = 0; k < 4; ++k) {
          const bool is_time = k == 1 || k == 2;
          // Saved times do not move, but the last is the end, and the first the state itself.
          if ((is_time && !moves) || (k == 2 && i + 1 < times.size())) continue;
          if (k == 1 && i == 0) continue;
          expected[k] += weight * exact.gradient()[k];
        }
      }
      const auto found = gradient_values(loss, inputs);
      for (std::size_t k = 0; k < 4; ++k) {
        CAPTURE(k);
        CHECK(found[k].item() == doctest::Approx(expected[k]).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("gradient modes: an event's time and state, terminal or not") {
  // y' = a y (1 - y) passes 1/2 at t = log(1 / y0 - 1) / a, whatever the mode.
  constexpr double y0 = 0.2;
  constexpr double a = 1.3;
  const double c = 1 / y0 - 1;
  const double exact = std::log(c) / a;
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    for (const bool is_terminal : {false, true}) {
      Tape<double> tape;
      const Vars<double> inputs{tape.scalar(y0), tape.scalar(a)};
      Problem<double> problem{
          [&](const Number&, const Number& y) { return inputs[1] * y * (1.0 - y); },
          inputs[0],
          {0, 3}};
      problem.events = {
          {[](const Number&, const Number& y) { return y - 0.5; }, Crossing::any, is_terminal}};
      SolveOptions options = options_of(*mode, 0.01);
      options.save_at = {0.5, 2.5};
      const Solution<double> s = solve(problem, options);
      CHECK(s.report.status == (is_terminal ? Status::event : Status::success));
      CHECK(s.times.size() == (is_terminal ? 1 : 2));
      REQUIRE(s.occurrences.size() == 1);
      CHECK(s.occurrences[0].t.item() == doctest::Approx(exact).epsilon(1e-8));
      CHECK(s.occurrences[0].y.item() == doctest::Approx(0.5).epsilon(1e-8));
      const auto found = gradient_values(s.occurrences[0].t, inputs);
      CHECK(found[0].item() == doctest::Approx(-1 / (y0 * y0 * c * a)).epsilon(1e-6));
      CHECK(found[1].item() == doctest::Approx(-exact / a).epsilon(1e-6));
      if (is_terminal) CHECK(s.y.item() == doctest::Approx(0.5).epsilon(1e-8));
    }
  }
}

TEST_CASE("gradient modes: the end moves along with a terminal event") {
  // y' = a y ends where t = c: dy/dc = a y, dy/da = c y.
  constexpr double a = 0.7;
  constexpr double c = 1.1;
  const double exact = std::exp(a * c);
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    for (const bool moves : {false, true}) {
      CAPTURE(moves);
      Tape<double> tape;
      const Vars<double> inputs{tape.scalar(a), tape.scalar(c), tape.scalar(3.0)};
      const Field<double> f = [&](const Number&, const Number& y) { return inputs[0] * y; };
      Problem<double> problem{f, tape.scalar(1.0), {0, 3}};
      if (moves) problem.times = {tape.scalar(0.0), inputs[2]};
      problem.events = {{[&](const Number& t, const Number&) { return t - inputs[1]; },
                         Crossing::any, /*is_terminal=*/true}};
      const Solution<double> s = solve(problem, options_of(*mode, 0.01));
      REQUIRE(s.report.status == Status::event);
      CHECK(s.y.item() == doctest::Approx(exact).epsilon(1e-8));
      const auto found = gradient_values(s.y, inputs);
      CHECK(found[0].item() == doctest::Approx(c * exact).epsilon(1e-6));
      CHECK(found[1].item() == doctest::Approx(a * exact).epsilon(1e-6));
      CHECK(found[2].item() == 0);
    }
  }
}

TEST_CASE("gradient modes: a part that fails before an event ends the solve") {
  // The field is finite, its derivative in k is not until t = 0.3.
  Tape<double> tape;
  const Number k = tape.scalar(0.25);
  const Field<double> f = [k](const Number& t, const Number& y) {
    return sqrt(k * std::max(t.item() - 0.3, 0.0)) - y;
  };
  Problem<double> problem{f, tape.scalar(1.0), {0, 2}};
  problem.events = {{[](const Number& t, const Number&) { return t - 1.0; }}};
  const Solution<double> s = solve(problem, {.gradient = &forward_sensitivity});
  CHECK(s.report.status == Status::non_finite);
  CHECK(s.report.t == 0);
  CHECK(s.y.item() == 1);
  CHECK(s.occurrences.empty());
}

TEST_CASE("gradient modes: the caller's function ends a solve in each") {
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Number y0 = tape.scalar(1.0);
    Problem<double> problem{[](const Number&, const Number& y) { return -y; }, y0, {0, 5}};
    problem.on_step = [](double t, const Number&) { return t < 1; };
    const Solution<double> s = solve(problem, options_of(*mode, 0.01));
    CHECK(s.report.status == Status::stopped);
    CHECK(s.report.t >= 1);
    CHECK(s.report.t < 5);
    CHECK(s.y.item() == doctest::Approx(std::exp(-s.report.t)).epsilon(1e-7));
    CHECK(gradient_values(s.y, {y0})[0].item() ==
          doctest::Approx(std::exp(-s.report.t)).epsilon(1e-6));
  }
}

TEST_CASE("gradient modes: a jump of the field") {
  // y' = a until t = 1, then y' = -y.
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(0.5), tape.scalar(2.0)};
    const auto field = [&](const Number& t, const Number& y) {
      return t.item() < 1 ? inputs[1] + y * 0.0 : -y;
    };
    SolveOptions options = options_of(*mode, 0.05);
    options.jumps = {1};
    const Solution<double> s = solve(field, inputs[0], {0, 2}, options);
    REQUIRE(s.report.status == Status::success);
    CHECK(s.y.item() == doctest::Approx(2.5 * std::exp(-1.0)).epsilon(1e-7));
    const auto found = gradient_values(s.y, inputs);
    CHECK(found[0].item() == doctest::Approx(std::exp(-1.0)).epsilon(1e-6));
    CHECK(found[1].item() == doctest::Approx(std::exp(-1.0)).epsilon(1e-6));
  }
}

TEST_CASE("gradient modes: a jump of the field does not move along with t0") {
  // y' = a until t = 1, then y' = -y: y = (y0 + a (1 - t0)) exp(1 - t1).
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Number a = tape.scalar(2.0);
    const Vars<double> times{tape.scalar(0.25), tape.scalar(2.0)};
    const auto field = [&](const Number& t, const Number& y) {
      return t.item() < 1 ? a + y * 0.0 : -y;
    };
    SolveOptions options = options_of(*mode, 0.05);
    options.jumps = {1};
    const Solution<double> s = solve(field, tape.scalar(0.5), times[0], times[1], options);
    REQUIRE(s.report.status == Status::success);
    CHECK(s.y.item() == doctest::Approx(2 * std::exp(-1.0)).epsilon(1e-7));
    const auto found = gradient_values(s.y, times);
    CHECK(found[0].item() == doctest::Approx(-2 * std::exp(-1.0)).epsilon(1e-6));
    CHECK(found[1].item() == doctest::Approx(-2 * std::exp(-1.0)).epsilon(1e-6));
  }
}

TEST_CASE("gradient modes: an event in the first step after a jump") {
  // y = 0 until t = 1, where the field is still 0, then y' = a (1 + y / 10).
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Number a = tape.scalar(2.0);
    const Field<double> field = [&](const Number& t, const Number& y) {
      return (t.item() > 1 ? 1.0 : 0.0) * a * (1.0 + y * 0.1);
    };
    SolveOptions options = options_of(*mode, 0.05);
    options.jumps = {1};
    for (const double level : {0.001, 0.05}) {
      CAPTURE(level);
      Problem<double> problem{field, tape.scalar(0.0), {0, 3}};
      problem.events = {{[&](const Number&, const Number& y) { return y - level; }}};
      const Number t = solve(problem, options).occurrences.at(0).t;
      const double after = 10 * std::log1p(level / 10) / 2;
      CHECK(t.item() == doctest::Approx(1 + after).epsilon(1e-9));
      CHECK(gradient_values(t, {a})[0].item() == doctest::Approx(-after / 2).epsilon(1e-7));
    }
  }
}

TEST_CASE("gradient modes: functions of the states are saved in their place") {
  std::vector<const GradientMode*> all = modes();
  all.push_back(&values_only);
  for (const GradientMode* mode : all) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Number y0 = tape.input(Tensor<double>{1.0, 2.0});
    Problem<double> problem{[](const Number&, const Number& y) { return -y; }, y0, {0, 1}};
    problem.output = [](const Number& t, const Number& y) { return sum(y) * t; };
    SolveOptions options = options_of(*mode, 0.01);
    options.save_at = {0.5, 1};
    const Solution<double> s = solve(problem, options);
    REQUIRE(s.states.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      const double t = options.save_at[i];
      CHECK(s.states[i].item() == doctest::Approx(3 * std::exp(-t) * t).epsilon(1e-7));
      if (mode == &values_only) continue;
      CHECK(gradient_values(s.states[i], {y0})[0].data()[1] ==
            doctest::Approx(std::exp(-t) * t).epsilon(1e-6));
    }
  }
}

}  // namespace
}  // namespace fjord::ode
