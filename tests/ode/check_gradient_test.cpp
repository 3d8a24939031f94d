/// The comparison of two gradient modes.
#include "fjord/ode/check_gradient.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using Number = Var<double>;
using test::tolerances;

TEST_CASE("check_gradient: modes that agree, input by input, and the tape is as before") {
  Tape<double> tape;
  const Number a = tape.scalar(0.8);
  const Number b = tape.input(Tensor<double>{0.3, -0.2});
  const Field<double> f = [&](const Number& t, const Number& y) { return b * t - y * a; };
  const Problem<double> problem{f, tape.input(Tensor<double>{1.5, 0.4}), {0, 2}};
  SolveOptions options = tolerances(1e-9, 1e-9);
  const std::size_t nodes = tape.size();
  for (const GradientMode* mode : gradient_modes()) {
    if (!mode->has_derivatives() || !mode->suits(*options.method)) continue;
    CAPTURE(std::string(mode->name()));
    options.gradient = mode;
    const GradientComparison found = check_gradient(problem, options, direct);
    CHECK(found.largest() < 1e-7);
    CHECK(found.captured.size() == 2);
    CHECK(found.report.status == Status::success);
    CHECK(found.other_report.evaluations > 0);
    CHECK(tape.size() == nodes);
  }
}

TEST_CASE("check_gradient: a field that jumps, and options that save states") {
  Tape<double> tape;
  const Number a = tape.scalar(0.8);
  const Field<double> f = [&](const Number& t, const Number& y) {
    return (t.item() < 1 ? 2.0 : 0.0) - y * a;
  };
  const Problem<double> problem{f, tape.scalar(0.3), {0, 2}};
  SolveOptions options = tolerances(1e-9, 1e-9);
  options.jumps = {1};
  for (const GradientMode* mode : gradient_modes()) {
    if (!mode->has_derivatives() || !mode->suits(*options.method)) continue;
    CAPTURE(std::string(mode->name()));
    options.save_steps = !options.save_steps;
    options.save_at = options.save_steps ? std::vector<double>{} : std::vector{0.5};
    CHECK(check_gradient(problem, options, *mode).largest() < 1e-7);
  }
}

TEST_CASE("check_gradient: tolerances that are too loose for the adjoint show") {
  Tape<double> tape;
  const Number a = tape.scalar(5.0);
  const Field<double> f = [&](const Number&, const Number& y) { return y * (1.0 - y) * a; };
  const Problem<double> problem{f, tape.scalar(0.01), {0, 2}};
  SolveOptions options = tolerances(1e-2, 1e-2);
  options.gradient = &interpolating;
  const Checkpointed exact;
  const double loose = check_gradient(problem, options, exact).largest();
  options.rtol = options.atol = 1e-10;
  const double tight = check_gradient(problem, options, exact).largest();
  CHECK(loose > 1e-3);
  CHECK(tight < 1e-7);
}

TEST_CASE("check_gradient: what is not a number is the largest") {
  GradientComparison comparison;
  comparison.captured = {0.5, std::numeric_limits<double>::quiet_NaN()};
  CHECK(std::isnan(comparison.largest()));
  comparison.captured = {0.5, 0.25};
  comparison.t1 = 0.75;
  CHECK(comparison.largest() == 0.75);
}

TEST_CASE("check_gradient: solves that fail, and modes without derivatives") {
  Tape<double> tape;
  const Field<double> blows_up = [](const Number&, const Number& y) { return square(y); };
  const Problem<double> problem{blows_up, tape.scalar(1.0), {0, 2}};
  CHECK_THROWS_AS(check_gradient(problem, {}, checkpointed), SolveFailure);
  const Field<double> decay = [](const Number&, const Number& y) { return -y; };
  const Problem<double> fine{decay, tape.scalar(1.0), {0, 2}};
  CHECK_THROWS_WITH_AS(check_gradient(fine, {}, values_only), doctest::Contains("kept no steps"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::ode
