/// What reports count, against fields that count and sizes that are known.
#include "fjord/ode/report.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/tests/support/gradient_modes.hpp"

namespace fjord::ode {
namespace {

using test::Number;

/// A field of an own rate and the time, which counts its calls.
struct CountingField {
  Number rate;
  std::size_t* calls;

  Number operator()(const Number& t, const Number& y) const {
    ++*calls;
    return y * rate * cos(t);
  }
};

TEST_CASE("report: evaluations in sweeps are those that the field counts, in every mode") {
  for (const GradientMode* mode : test::modes()) {
    for (const bool saves : {false, true}) {
      CAPTURE(mode->name());
      CAPTURE(saves);
      Tape<double> tape;
      std::size_t calls = 0;
      const Number y0 = tape.input(Tensor<double>{1.0, -0.5});
      const Number rate = tape.scalar(-0.7);
      const Number t0 = tape.scalar(0.1);
      const Number t1 = tape.scalar(1.3);
      SolveOptions options = test::options_of(*mode, 0.05);
      if (saves) options.save_at = {0.5, 0.9};
      const Solution<double> s = solve<double>(CountingField{rate, &calls}, y0, t0, t1, options);
      REQUIRE(s.report.status == Status::success);
      const Report copy = s.report;
      const std::size_t before = calls;
      CHECK(copy.sweep_evaluations() == 0);
      gradient_values<double>(sum(s.y), std::vector{y0, rate});
      const std::size_t once = calls - before;
      CHECK(copy.sweep_evaluations() == once);
      // The forward solve of forward_sensitivity has the sensitivities, and direct all steps.
      CHECK((once == 0) == (mode == &direct || mode == &forward_sensitivity));
      gradient_values<double>(sum(s.y), std::vector{y0, rate, t0, t1});
      CHECK(s.report.sweep_evaluations() == calls - before);
      CHECK(calls - before >= 2 * once);
    }
  }
}

TEST_CASE("report: evaluations in sweeps of higher order and forward sweeps count, too") {
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&checkpointed),
                                   static_cast<const GradientMode*>(&test::few_snapshots),
                                   static_cast<const GradientMode*>(&backsolve),
                                   static_cast<const GradientMode*>(&forward_sensitivity)}) {
    CAPTURE(mode->name());
    Tape<double> tape;
    std::size_t calls = 0;
    const Number y0 = tape.scalar(1.0);
    const Number rate = tape.scalar(-0.7);
    SolveOptions options = test::tolerances(1e-6, 1e-6);
    options.gradient = mode;
    const Solution<double> s = solve<double>(CountingField{rate, &calls}, y0, {0, 1}, options);
    const std::size_t before = calls;
    const Number slope = pullback<double>({s.y}, {tape.scalar(1.0)}, {rate})[0];
    gradient_values<double>(slope, std::vector{rate});
    pushforward(rate, tape.scalar(1.0), s.y);
    CHECK(calls > before);
    CHECK(s.report.sweep_evaluations() == calls - before);
  }
}

TEST_CASE("report: without sweeps that call the field there is nothing to count") {
  Tape<double> tape;
  std::size_t calls = 0;
  SolveOptions options;
  options.gradient = &values_only;
  const CountingField f{tape.scalar(-0.7), &calls};
  const Report report = solve<double>(f, tape.scalar(1.0), {0, 1}, options).report;
  CHECK(report.evaluations == calls);
  CHECK(report.sweep_evaluations() == 0);
}

TEST_CASE("report: a solve that begins with the next step of another goes on with its steps") {
  // With a limit on the steps as well, which is not what the controller would take.
  for (const double longest : {10.0, 0.02}) {
    CAPTURE(longest);
    Tape<double> tape;
    const Field<double> f = [](const Number& t, const Number& y) { return y * cos(t * t); };
    const Number y0 = tape.input(Tensor<double>{1.0, -0.5});
    SolveOptions options = test::options_of(values_only, 0.05);
    options.fixed_step = std::nullopt;
    options.largest_step = longest;
    SolveOptions with_seam = options;
    with_seam.step_on = {1.25};
    const Solution<double> whole = solve(f, y0, {3, 0}, with_seam);
    const Solution<double> first = solve(f, y0, {3, 1.25}, options);
    REQUIRE(first.report.next_step.has_value());
    options.first_step = first.report.next_step;
    const Solution<double> second = solve(f, first.y, {1.25, 0}, options);
    CHECK(Tensor<double>(second.y.value()) == Tensor<double>(whole.y.value()));
    CHECK(first.report.accepted + second.report.accepted == whole.report.accepted);
    CHECK(first.report.rejected + second.report.rejected == whole.report.rejected);
    CHECK(whole.report.accepted > 8);
    // The second solve asks the field at the seam again, and no more.
    CHECK(first.report.evaluations + second.report.evaluations == whole.report.evaluations + 1);
  }
}

TEST_CASE("report: a first step that is given is only the first, where modes solve in parts") {
  Tape<double> tape;
  const Field<double> f = [](const Number& t, const Number& y) { return y * cos(t * t); };
  const Number y0 = tape.input(Tensor<double>{1.0, -0.5});
  SolveOptions options{.rtol = 1e-8, .atol = 1e-8, .first_step = 1e-6};
  SolveOptions in_one = options;
  in_one.gradient = &values_only;
  in_one.step_on = {0.8, 1.25};
  const Report whole = solve(f, y0, {0, 3}, in_one).report;
  options.save_at = in_one.step_on;
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&checkpointed),
                                   static_cast<const GradientMode*>(&backsolve),
                                   static_cast<const GradientMode*>(&interpolating)}) {
    CAPTURE(mode->name());
    options.gradient = mode;
    const Report parts = solve(f, y0, {0, 3}, options).report;
    CHECK(parts.accepted == whole.accepted);
    CHECK(parts.rejected == whole.rejected);
    CHECK(parts.next_step == whole.next_step);
  }
}

TEST_CASE("report: the next step is within its limits, and shorter after a rejection") {
  Tape<double> tape;
  const Field<double> f = [](const Number&, const Number& y) { return -y; };
  const Number y0 = tape.input(Tensor<double>{1.0, -0.5});
  const SolveOptions limited{.largest_step = 0.02};
  CHECK(solve(f, y0, {0, 1}, limited).report.next_step == 0.02);
  // The only step that may be tried is far too long.
  const Field<double> fast = [](const Number&, const Number& y) { return -1e3 * y; };
  const SolveOptions one{.first_step = 0.5, .max_steps = 1};
  const Report report = solve(fast, y0, {0, 1}, one).report;
  REQUIRE(report.rejected == 1);
  CHECK(report.next_step == 0.5 * PidOptions().min_factor);
}

TEST_CASE("report: there is no next step where none was chosen") {
  Tape<double> tape;
  const Field<double> f = [](const Number&, const Number& y) { return -y; };
  const Number y0 = tape.input(Tensor<double>{1.0, -0.5});
  CHECK_FALSE(solve(f, y0, {0, 1}, {.fixed_step = 0.1}).report.next_step.has_value());
  CHECK_FALSE(solve(f, y0, {0, 1}, {.grid = {0.4, 0.7}}).report.next_step.has_value());
  CHECK_FALSE(solve(f, y0, {0, 1}, {.separate_rows = true}).report.next_step.has_value());
  CHECK_FALSE(solve(f, y0, {1, 1}, {}).report.next_step.has_value());
}

/// Of Euler steps of 1000 numbers, each of one operation and the step's sum.
double tape_bytes(const GradientMode& mode, double steps) {
  Tape<double> tape;
  const Field<double> f = [](const Number&, const Number& y) { return -y; };
  const Number y0 = tape.input(Tensor<double>::ones({1000}));
  SolveOptions options;
  options.method = &euler;
  options.gradient = &mode;
  options.fixed_step = 1 / steps;
  return static_cast<double>(solve(f, y0, {0, 1}, options).report.tape_bytes);
}

TEST_CASE("report: the bytes on the tape are those of the states that a mode keeps") {
  constexpr double state = 8000;
  const auto growth = [](const GradientMode& mode) {
    return (tape_bytes(mode, 200) - tape_bytes(mode, 100)) / 100;
  };
  // Two vectors a step: what nodes and the ends of blocks take is less than a tenth of them.
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&direct),
                                   static_cast<const GradientMode*>(&checkpointed)}) {
    CAPTURE(mode->name());
    CHECK(growth(*mode) >= 2 * state);
    CHECK(growth(*mode) < 2.2 * state);
  }
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&values_only),
                                   static_cast<const GradientMode*>(&backsolve)}) {
    CAPTURE(mode->name());
    CHECK(growth(*mode) == 0);
    CHECK(tape_bytes(*mode, 100) >= state);
    CHECK(tape_bytes(*mode, 100) < 20 * state);
  }
}

}  // namespace
}  // namespace fjord::ode
