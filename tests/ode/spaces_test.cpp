/// The same solve on recorded nodes, on values only and on plain memory; and its derivatives.
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"

namespace fjord::ode {
namespace {

using test::solve_values;

using Numbers = std::vector<double>;

/// Two pendulums with a common drive: positions, then velocities. Geometric methods want the
/// halves.
template <class T>
Field<T> pendulums(const Var<T>& drive) {
  return [drive](const Var<T>& t, const Var<T>& y) {
    const Var<T> pull = drive * cos(t) - sin(slice(y, 0, 0, 2));
    return concatenate<T>({slice(y, 0, 2, 4), pull}, 0);
  };
}

PlainField plain_pendulums(double drive) {
  return [drive](double t, std::span<const double> y, std::span<double> dydt) {
    for (std::size_t i = 0; i < 2; ++i) {
      dydt[i] = y[i + 2];
      dydt[i + 2] = drive * std::cos(t) - std::sin(y[i]);
    }
  };
}

const Numbers start{1, -0.4, 0.2, 0.7};

/// From `start` at t = 0.1 to 3 with the drive 0.3: by mpmath's odefun at 30 digits; scipy's DOP853
/// at a tolerance of 2.3e-14 agrees.
const Numbers end{-0.71895971338072331208, 0.7894744257502636969, -0.95775737378814200375,
                  -0.81677950303831965385};

/// Steps by their error where the method estimates it, otherwise of length 0.05.
SolveOptions options_of(const Method& method) {
  SolveOptions options;
  options.method = &method;
  options.rtol = 1e-5;
  options.atol = 1e-5;
  if (method.error_order() == 0) options.fixed_step = 0.05;
  return options;
}

TEST_CASE("spaces: nodes, values and plain memory take the same steps to the same state") {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    for (const TimeSpan span : {TimeSpan{0.1, 3}, TimeSpan{3, 0.1}}) {
      for (const bool has_stops : {false, true}) {
        SolveOptions options = options_of(*method);
        if (has_stops) {
          options.step_on = {1, 2};
          if (!method->leaves_step()) options.jumps = {1.5};
          if (span.t1 < span.t0) std::swap(options.step_on[0], options.step_on[1]);
        }
        const Simulation plain = simulate(plain_pendulums(0.3), start, span, options);
        CHECK(plain.report.status == Status::success);
        Tape<double> tape;
        const Field<double> f = pendulums(tape.scalar(0.3));
        const Var<double> y0 = tape.input(Tensor<double>::from({4}, start));
        const Solution<double> nodes = solve(f, y0, span, options);
        const Solution<double> values = solve_values(f, y0, span, options);
        for (const Solution<double>* solution : {&nodes, &values}) {
          CHECK(solution->report.status == plain.report.status);
          CHECK(solution->report.t == plain.report.t);
          CHECK(solution->report.accepted == plain.report.accepted);
          CHECK(solution->report.rejected == plain.report.rejected);
          CHECK(solution->report.evaluations == plain.report.evaluations);
          const Numbers y = Tensor<double>(solution->y.value()).to_vector();
          // The two round their sums differently, by up to the size of the coefficients, which is
          // 1e5 in verner6.
          for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(y[i] - plain.y[i]) < 3e-9);
        }
      }
    }
  }
}

TEST_CASE("spaces: a field of a fixed size takes the steps of one of any size") {
  const double drive = 0.3;
  std::size_t calls = 0;
  const PlainField sized = [&](double t, std::span<const double, 4> y, std::span<double, 4> dydt) {
    ++calls;
    plain_pendulums(drive)(t, y, dydt);
  };
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    SolveOptions options = options_of(*method);
    if (!method->leaves_step()) options.jumps = {1.5};
    options.save_at = {0.2, 1.7};
    const Simulation any = simulate(plain_pendulums(drive), start, {0.1, 3}, options);
    calls = 0;
    const Simulation s = simulate(sized, start, {0.1, 3}, options);
    CHECK(s.report.accepted == any.report.accepted);
    CHECK(s.report.rejected == any.report.rejected);
    CHECK(s.report.evaluations == any.report.evaluations);
    CHECK(s.report.evaluations == calls);
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(s.y[i] - any.y[i]) < 3e-9);
    for (std::size_t i = 0; i < 8; ++i) CHECK(std::abs(s.states[i] - any.states[i]) < 3e-9);
  }
  CHECK_THROWS_WITH_AS(simulate(sized, Numbers{1, 2, 3}, {0, 1}),
                       doctest::Contains("as many numbers as the field takes, 4, got 3"),
                       std::invalid_argument);
}

TEST_CASE_TEMPLATE("spaces: every method reaches the end that other programs reach", T, float,
                   double) {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    Tape<T> tape;
    const Var<T> y0 = tape.input(Tensor<double>::from({4}, start).template as<T>());
    const Solution<T> s = solve(pendulums(tape.scalar(T(0.3))), y0, {0.1, 3}, options_of(*method));
    CHECK(s.report.status == Status::success);
    const Numbers y = Tensor<T>(s.y.value()).template as<double>().to_vector();
    // Float rounds off 1e-4 in the sums of large coefficients, as in verner6.
    const double bound = method->order() == 1 ? 0.2 : method->order() == 2 ? 5e-3 : 5e-4;
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(y[i] - end[i]) < bound);
  }
}

TEST_CASE("spaces: a state of no, one and many numbers on plain memory is that of its parts") {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    SolveOptions options;
    options.method = method;
    options.fixed_step = 0.125;
    const Numbers one = simulate(plain_pendulums(0), start, {0, 1}, options).y;
    // The same in many copies: sizes about those of blocks.
    for (const std::size_t copies : {0, 1, 2, 3, 5, 17}) {
      const PlainField f = [copies](double, std::span<const double> y, std::span<double> dydt) {
        for (std::size_t i = 0; i < copies; ++i) {
          dydt[i] = y[copies + i];
          dydt[copies + i] = -std::sin(y[i]);
        }
      };
      Numbers y0(2 * copies);
      for (std::size_t i = 0; i < copies; ++i) {
        y0[i] = start[0];
        y0[copies + i] = start[2];
      }
      const Simulation s = simulate(f, y0, {0, 1}, options);
      CHECK(s.report.status == Status::success);
      REQUIRE(s.y.size() == 2 * copies);
      for (std::size_t i = 0; i < copies; ++i) {
        CHECK(std::abs(s.y[i] - one[0]) < 1e-14);
        CHECK(std::abs(s.y[copies + i] - one[2]) < 1e-14);
      }
    }
  }
}

/// The derivative of a weighted sum of the end's entries along one direction of the start and of
/// the drive, by a central difference of sixth order on plain memory with given steps.
double slope_by_differences(const Method& method, const Numbers& direction,
                            double drive_direction) {
  SolveOptions options;
  options.method = &method;
  options.fixed_step = 0.1;
  const auto loss = [&](double s) {
    Numbers y0 = start;
    for (std::size_t i = 0; i < 4; ++i) y0[i] += s * direction[i];
    const Numbers y = simulate(plain_pendulums(0.3 + s * drive_direction), y0, {0, 2}, options).y;
    return y[0] - 2 * y[1] + 3 * y[2] + 0.5 * y[3];
  };
  constexpr double h = 0.02;
  return (45 * (loss(h) - loss(-h)) - 9 * (loss(2 * h) - loss(-2 * h)) + loss(3 * h) -
          loss(-3 * h)) /
         (60 * h);
}

TEST_CASE_TEMPLATE("spaces: derivatives through every method are those of differences", T, float,
                   double) {
  const double bound = std::is_same_v<T, double> ? 1e-9 : 1e-3;
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    Tape<T> tape;
    const Var<T> y0 = tape.input(Tensor<double>::from({4}, start).template as<T>());
    const Var<T> drive = tape.scalar(T(0.3));
    SolveOptions options;
    options.method = method;
    options.fixed_step = 0.1;
    const Var<T> y = solve(pendulums(drive), y0, {0, 2}, options).y;
    const Var<T> weights = tape.input(Tensor<double>{1.0, -2.0, 3.0, 0.5}.as<T>());
    const Var<T> loss = sum(y * weights);
    const auto g = gradient_values<T>(loss, std::vector{y0, drive});
    for (std::size_t i = 0; i < 5; ++i) {
      CAPTURE(i);
      Numbers direction(4);
      if (i < 4) direction[i] = 1;
      const double expected = slope_by_differences(*method, direction, i == 4 ? 1 : 0);
      const double found = static_cast<double>(i < 4 ? g[0](static_cast<Index>(i)) : g[1].item());
      CHECK(std::abs(found - expected) < bound * std::max(1.0, std::abs(expected)));
    }
    // Forwards as well.
    const Var<T> pushed = pushforward(drive, tape.scalar(T(1)), loss);
    CHECK(static_cast<double>(pushed.item()) ==
          doctest::Approx(static_cast<double>(g[1].item())).epsilon(bound));
  }
}

TEST_CASE("spaces: derivatives through adaptive steps are near those of the exact solution") {
  // Step lengths are constants to the sweeps, so that the derivatives differ by about the
  // tolerance.
  const auto slope = [](const Method& method, double tolerance) {
    Tape<double> tape;
    const Var<double> y0 = tape.input(Tensor<double>::from({4}, start));
    const Var<double> drive = tape.scalar(0.3);
    SolveOptions options = options_of(method);
    options.rtol = options.atol = tolerance;
    options.max_steps = 100'000;
    const Var<double> y = solve(pendulums(drive), y0, {0.1, 3}, options).y;
    return gradient_values<double>(sum(y), std::vector{drive})[0].item();
  };
  for (const Method* method : methods()) {
    if (method->error_order() == 0) continue;
    CAPTURE(method->name());
    // By central differences of sixth order of scipy's results, as for `end`.
    CHECK(std::abs(slope(*method, 1e-6) - -1.24725199414) < 1e-3);
  }
}

}  // namespace
}  // namespace fjord::ode
