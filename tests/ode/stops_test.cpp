/// Where steps end: grids, fixed steps, times to step on, jumps of the field, limits of the steps.
#include "fjord/ode/stops.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::tolerances;
using Times = std::vector<double>;

/// A solve of y' = cos t by Euler's method or another, and the times at which the field was asked.
struct Run {
  Times asked;
  Report report;
  double y = 0;

  bool has_asked_at(double t) const { return std::ranges::count(asked, t) > 0; }
};

Run run(const SolveOptions& options, TimeSpan span) {
  Run result;
  const auto f = [&](double t, std::span<const double>, std::span<double> dydt) {
    result.asked.push_back(t);
    dydt[0] = std::cos(t);
  };
  const Simulation s = simulate(f, Times{std::sin(span.t0)}, span, options);
  result.report = s.report;
  result.y = s.y[0];
  return result;
}

/// Steps of Euler's method, which asks at the beginnings of steps only.
SolveOptions euler_steps() {
  SolveOptions options;
  options.method = &euler;
  return options;
}

double euler_by_hand(const Times& times) {
  double y = std::sin(times.front());
  for (std::size_t i = 0; i + 1 < times.size(); ++i)
    y += (times[i + 1] - times[i]) * std::cos(times[i]);
  return y;
}

TEST_CASE("stops: steps of a grid are those of the grid") {
  struct Case {
    const char* name;
    Times grid;
    TimeSpan span;
    Times ends;
  };

  for (const Case& c :
       {Case{"inner times", {0.3, 0.4, 1.5}, {0, 2}, {0, 0.3, 0.4, 1.5, 2}},
        Case{"with both ends", {0, 0.5, 2}, {0, 2}, {0, 0.5, 2}},
        Case{"a time twice", {0.5, 0.5, 1}, {0, 2}, {0, 0.5, 1, 2}},
        Case{"backwards", {1.5, 0.4, -1}, {2, -1}, {2, 1.5, 0.4, -1}},
        Case{"the end only", {2}, {0, 2}, {0, 2}}, Case{"the start only", {0}, {0, 2}, {0, 2}}}) {
    CAPTURE(std::string(c.name));
    SolveOptions options = euler_steps();
    options.grid = c.grid;
    const Run r = run(options, c.span);
    CHECK(r.report.status == Status::success);
    CHECK(r.asked == Times(c.ends.begin(), c.ends.end() - 1));
    CHECK(r.y == doctest::Approx(euler_by_hand(c.ends)).epsilon(1e-15));
    options.method = &adams_bashforth2;
    CHECK(std::isfinite(run(options, c.span).y));
  }
}

TEST_CASE("stops: fixed steps are as many as fit, and the last one is shorter") {
  struct Case {
    TimeSpan span;
    double step;
    std::size_t count;
  };

  for (const Case& c :
       {Case{{0, 1}, 0.3, 4}, Case{{0, 1}, 0.25, 4}, Case{{0, 1}, 0.1, 10}, Case{{0, 0.3}, 0.1, 3},
        Case{{1, 0}, 0.3, 4}, Case{{0, 1}, 5, 1}, Case{{0.1, 0.7}, 0.2, 3},
        Case{{1e9, 1e9 + 1}, 0.001, 1000}, Case{{-2, -3.5}, 0.5, 3}, Case{{0, 1}, 0.9999, 2}}) {
    CAPTURE(c.span.t0);
    CAPTURE(c.step);
    SolveOptions options = euler_steps();
    options.fixed_step = c.step;
    const Run r = run(options, c.span);
    CHECK(r.report.status == Status::success);
    CHECK(r.report.accepted == c.count);
    CHECK(r.report.rejected == 0);
    CHECK(r.report.t == c.span.t1);
    REQUIRE(r.asked.size() == c.count);
    const double sign = c.span.t1 > c.span.t0 ? 1 : -1;
    for (std::size_t i = 0; i < c.count; ++i)
      CHECK(r.asked[i] == c.span.t0 + sign * (static_cast<double>(i) * c.step));
  }
}

TEST_CASE("stops: fixed steps and grids end at the times to step on and at jumps, too") {
  SolveOptions options = euler_steps();
  options.fixed_step = 0.25;
  options.step_on = {0.1, 0.5 + 1e-16};
  CHECK(run(options, {0, 1}).asked == Times{0, 0.1, 0.25, 0.5 + 1e-16, 0.75});
  options.step_on = {0.1, std::nextafter(0.5, 1), 1};
  CHECK(run(options, {0, 1}).asked == Times{0, 0.1, 0.25, std::nextafter(0.5, 1), 0.75});
  options.fixed_step = {};
  options.grid = {0.5};
  CHECK(run(options, {0, 1}).asked == Times{0, 0.1, 0.5, std::nextafter(0.5, 1)});
  options.step_on = {};
  options.jumps = {0.25};
  CHECK(run(options, {0, 1}).asked == Times{0, std::nextafter(0.25, 1), 0.5});
}

TEST_CASE("stops: some step ends at each time to step on, and all go on from there") {
  for (const TimeSpan span : {TimeSpan{0, 10}, TimeSpan{10, 0}}) {
    for (const Method* method : methods()) {
      if (method->error_order() == 0) continue;
      CAPTURE(method->name());
      SolveOptions options = tolerances(1e-5, 1e-5);
      options.method = method;
      options.step_on = {1.0 / 3, 0.5, std::nextafter(0.5, 1), 7.7};
      const Times stops = options.step_on;
      if (span.t1 == 0) std::ranges::reverse(options.step_on);
      const Run r = run(options, span);
      CHECK(r.report.status == Status::success);
      CHECK(std::abs(r.y - std::sin(span.t1)) < 1e-2);
      for (const double t : stops) {
        // Asked at last before, then at, then only after it.
        const auto is_beyond = [&](double a) { return span.t1 > 0 ? a > t : a < t; };
        CHECK(r.has_asked_at(t));
        const auto first = std::ranges::find(r.asked, t);
        CHECK(std::none_of(r.asked.begin() + (r.asked.size() > 2 ? 2 : 0), first, is_beyond));
      }
    }
  }
}

/// y' = 1 before 0.7, -2 from there on, and what it was asked.
template <class T>
struct Kink {
  static constexpr double jump = 0.7;
  bool is_forward = true;
  std::size_t on_the_jump = 0;
  std::size_t neighbours_before = 0;
  std::size_t neighbours_after = 0;
  bool has_crossed = false;
  std::size_t returns = 0;

  Field<T> field() {
    return [this](const Var<T>& t, const Var<T>& y) {
      const T at = t.item();
      const T kink = static_cast<T>(jump);
      on_the_jump += at == kink;
      const T least = std::numeric_limits<T>::lowest();
      neighbours_before += at == std::nextafter(kink, is_forward ? least : -least);
      neighbours_after += at == std::nextafter(kink, is_forward ? -least : least);
      const bool is_after = is_forward ? at > kink : at < kink;
      returns += has_crossed && !is_after;
      has_crossed = has_crossed || is_after;
      return y * T(0) + (at < kink ? T(1) : T(-2));
    };
  }
};

/// How much larger than the state are the terms that add up to it: those of verner6 are large and
/// cancel.
double rounding_of(const Method& method) {
  double sum = 1;
  if (const auto* table = dynamic_cast<const ExplicitRungeKutta*>(&method)) {
    for (const double weight : table->tableau().b) sum += std::abs(weight);
  }
  return sum;
}

TEST_CASE_TEMPLATE("stops: at a jump the field is asked on the side of the step", T, float,
                   double) {
  for (const bool is_forward : {true, false}) {
    for (const Method* method : methods()) {
      if (method->error_order() == 0) continue;
      CAPTURE(method->name());
      CAPTURE(is_forward);
      const TimeSpan span = is_forward ? TimeSpan{0, 2} : TimeSpan{2, 0};
      SolveOptions options = tolerances(1e-5, 1e-5);
      options.method = method;
      options.jumps = {Kink<T>::jump};
      Kink<T> kink{is_forward};
      Tape<T> tape;
      const Solution<T> s = solve(kink.field(), tape.scalar(T(0)), span, options);
      CHECK(s.report.status == Status::success);
      const double exact = is_forward ? 0.7 - 2 * 1.3 : 2 * 1.3 - 0.7;
      CHECK(std::abs(static_cast<double>(s.y.item()) - exact) <
            20 * rounding_of(*method) * static_cast<double>(std::numeric_limits<T>::epsilon()));
      CHECK(s.report.rejected == 0);
      CHECK(kink.on_the_jump == 0);
      CHECK(kink.neighbours_before >= 1);
      CHECK(kink.neighbours_after >= 1);
      CHECK(kink.returns == 0);
    }
  }
}

TEST_CASE("stops: jumps at the ends, and one next to the start, are asked from within") {
  for (const TimeSpan span : {TimeSpan{1, 3}, TimeSpan{3, 1}}) {
    for (const Method* method : {static_cast<const Method*>(&dormand_prince),
                                 static_cast<const Method*>(&reversible_heun)}) {
      SolveOptions options = tolerances(1e-6, 1e-6);
      options.method = method;
      const double near = span.t0 + (span.t1 - span.t0) * 1e-9;
      options.jumps = {span.t0, near, span.t1};
      Times asked;
      const auto f = [&](double t, std::span<const double>, std::span<double> dydt) {
        asked.push_back(t);
        dydt[0] = 1;
      };
      const Simulation s = simulate(f, Times{0}, span, options);
      CHECK(s.y[0] == doctest::Approx(span.t1 - span.t0));
      for (const double t : options.jumps) CHECK(std::ranges::count(asked, t) == 0);
      const double before = std::nextafter(near, span.t0);
      const double after = std::nextafter(near, span.t1);
      const bool forward = span.t1 > span.t0;
      // The probe for the first step stays before the jump, too.
      const auto crosses = std::ranges::find(asked, after);
      REQUIRE(crosses != asked.end());
      CHECK(std::all_of(asked.begin(), crosses,
                        [&](double t) { return forward ? t <= before : t >= before; }));
      CHECK(std::all_of(crosses, asked.end(),
                        [&](double t) { return forward ? t >= after : t <= after; }));
    }
  }
}

TEST_CASE("stops: methods without an error estimate stay within the steps between jumps") {
  // y' = 2, then 5, and beyond the ends far more.
  for (const Method* method : methods()) {
    if (method->error_order() > 0) continue;
    CAPTURE(method->name());
    SolveOptions options;
    options.method = method;
    options.fixed_step = 0.1;
    options.jumps = {0, 0.5, 1};
    const auto f = [](double t, std::span<const double>, std::span<double> dydt) {
      const bool is_within = t > 0 && t < 1;
      dydt[0] = !is_within ? 1e9 : t < 0.5 ? 2 : 5;
      dydt[1] = is_within ? 0 : 1e9;
    };
    if (method->leaves_step()) {
      CHECK_THROWS_WITH_AS(simulate(f, Times{0, 0}, {0, 1}, options),
                           doctest::Contains("asks for times beyond its steps"),
                           std::invalid_argument);
      continue;
    }
    const Simulation s = simulate(f, Times{0, 0}, {0, 1}, options);
    CHECK(s.y[0] == doctest::Approx(3.5));
    CHECK(s.y[1] == 0);
  }
}

TEST_CASE("stops: a jumping field of known answer, at every method with an error estimate") {
  // y' = -y + sign(sin(pi t)): over a unit of time y goes to s + (y - s) / e.
  double exact = 0.3;
  for (int unit = 0; unit < 6; ++unit) {
    const double s = unit % 2 == 0 ? 1 : -1;
    exact = s + (exact - s) * std::exp(-1.0);
  }
  for (const Method* method : methods()) {
    if (method->error_order() == 0) continue;
    CAPTURE(method->name());
    SolveOptions options = tolerances(1e-8, 1e-8);
    options.method = method;
    options.max_steps = 1'000'000;
    options.jumps = {1, 2, 3, 4, 5};
    const auto f = [](double t, std::span<const double> y, std::span<double> dydt) {
      dydt[0] = -y[0] + (static_cast<int>(std::floor(t)) % 2 == 0 ? 1 : -1);
    };
    const Simulation s = simulate(f, Times{0.3}, {0, std::nextafter(6, 0)}, options);
    CHECK(std::abs(s.y[0] - exact) < 1e-6);
    CHECK(s.report.rejected <= 6);
    options.jumps = {};
    CHECK(simulate(f, Times{0.3}, {0, std::nextafter(6, 0)}, options).report.rejected >
          s.report.rejected);
  }
}

TEST_CASE("stops: the smallest step is tried before the solve ends") {
  double last = 0;
  std::size_t at_end = 0;
  const auto f = [&](double t, std::span<const double>, std::span<double> dydt) {
    last = t;
    at_end += t == 1;
    dydt[0] = 1;
  };
  SolveOptions options;
  options.method = &heun_euler;
  options.first_step = 1;
  options.smallest_step = 0.375;
  // The first step, of length 1, is refused; another would be cut to a fifth.
  options.custom_norm = [&](std::span<const double>) {
    return last == 1 && at_end == 1 ? 1e9 : 0.5;
  };
  const Report tried = simulate(f, Times{0}, {0, 1}, options).report;
  CHECK(tried.status == Status::success);
  CHECK(tried.rejected == 1);
  options.custom_norm = [](std::span<const double>) { return 1e9; };
  const Report refused = simulate(f, Times{0}, {0, 1}, options).report;
  CHECK(refused.status == Status::step_too_small);
  CHECK(refused.rejected == 2);
  CHECK(refused.t == 0);
}

TEST_CASE("stops: steps keep to the smallest and largest length, and begin with the first") {
  SolveOptions options = tolerances(1e-2, 1e-2);
  const auto longest = [&](const Times& asked) {
    double most = 0;
    for (std::size_t i = 0; i + 1 < asked.size(); ++i)
      most = std::max(most, std::abs(asked[i + 1] - asked[i]));
    return most;
  };
  CHECK(run(options, {0, 10}).report.accepted < 20);
  options.largest_step = 0.125;
  options.method = &heun_euler;
  const Run small = run(options, {0, 10});
  CHECK(small.report.accepted >= 80);
  CHECK(longest(small.asked) <= 0.125 * (1 + 1e-12));

  options = tolerances(1e-9, 1e-9);
  options.smallest_step = 0.01;
  const Run ends = run(options, {0, 10});
  CHECK(ends.report.status == Status::success);
  options.method = &heun_euler;
  options.smallest_step = 0.5;
  const Run short_step = run(options, {0, 10});
  CHECK(short_step.report.status == Status::step_too_small);
  CHECK(short_step.report.t < 10);

  options = tolerances(1e-3, 1e-3);
  options.first_step = 0.0625;
  const Run first = run(options, {0, 10});
  // Without a probe, the second evaluation is the second stage, a fifth of the step on.
  CHECK(first.asked[1] == doctest::Approx(0.0625 / 5));
  options.largest_step = 0.03125;
  CHECK(run(options, {0, 10}).asked[1] == doctest::Approx(0.03125 / 5));
  options.largest_step = {};
  options.smallest_step = 0.5;
  CHECK(run(options, {0, 10}).asked[1] == doctest::Approx(0.1));

  options = {};
  options.max_steps = 7;
  options.first_step = 1e-3;
  options.largest_step = 1e-3;
  const Report limited = run(options, {0, 1}).report;
  CHECK(limited.status == Status::max_steps);
  CHECK(limited.accepted == 7);
  CHECK(limited.t == doctest::Approx(7e-3));
  options.fixed_step = 0.1;
  options.largest_step = {};
  CHECK(run(options, {0, 1}).report.status == Status::max_steps);
  options.max_steps = 10;
  CHECK(run(options, {0, 1}).report.status == Status::success);
}

}  // namespace
}  // namespace fjord::ode
