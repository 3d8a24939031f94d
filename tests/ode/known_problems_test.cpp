#include "fjord/tests/ode/known_problems.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/orbit.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::known_problems;
using test::KnownProblem;
using test::linear_field;
using test::tolerances;
using test::worst_relative_error;

const SolveOptions tight = tolerances(1e-11, 1e-11);

TEST_CASE_TEMPLATE("solve: known problems forward and backward", T, float, double) {
  Tape<T> tape;
  for (const KnownProblem<T>& problem : known_problems(tape)) {
    for (const TimeSpan span : {TimeSpan{1, 8}, TimeSpan{8, 1}}) {
      CAPTURE(problem.name);
      CAPTURE(span.t0);
      const std::vector<double> start = problem.exact(span.t0);
      const auto size = static_cast<Index>(start.size());
      const Tensor<double> y0 = Tensor<double>::from(size == 1 ? Shape{1} : Shape{1, size}, start);
      const Solution<T> s = solve(problem.f, tape.input(y0.as<T>()), span, tolerances(1e-7, 1e-9));
      CHECK(s.report.status == Status::success);
      CHECK(s.report.t == span.t1);
      CHECK(worst_relative_error(s.y, problem.exact(span.t1)) < problem.bound);
      // What the tolerance promises in double is far better than what torchdiffeq holds itself to.
      if (std::is_same_v<T, double>)
        CHECK(worst_relative_error(s.y, problem.exact(span.t1)) < 2e-5);
    }
  }
}

TEST_CASE("solve: Riccati's equation and its derivative in the initial value") {
  Tape<double> tape;
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    return square(y - t) + 1.0;
  };
  const Var<double> y0 = tape.scalar(0.5);
  for (const double t : {0.25, 1.0, 1.5}) {
    const Var<double> y = solve(f, y0, {0, t}, tight).y;
    CHECK(y.item() == doctest::Approx(1 / (2 - t) + t).epsilon(1e-8));
    const double slope = gradient_values<double>(y, std::vector{y0})[0].item();
    CHECK(slope == doctest::Approx(1 / std::pow(1 - 0.5 * t, 2)).epsilon(1e-7));
  }
}

TEST_CASE("solve: the gradient through a linear system is the column sums of the exponential") {
  Tape<double> tape;
  const Tensor<double> j{{-1, -2, -3}, {-4, -5, -6}, {-7, -8, -9}};
  const Var<double> y0 = tape.input(Tensor<double>{{1, 1, 1}});
  const Var<double> y = solve(linear_field(tape, j), y0, {0, 1}, tolerances(1e-10, 1e-10)).y;
  const TensorView<double> g = gradient_values<double>(sum(y), std::vector{y0})[0];
  const Tensor<double> exponential{{2.3703878775011322, .2645063729368097, -.8413751316275110},
                                   {-.0900545996427410, .7326649140674798, -.4446155722222950},
                                   {-1.5504970967866180, -.7991765448018465, .9521439871829201}};
  for (Index k = 0; k < 3; ++k) {
    CHECK(std::abs(g(0, k) - exponential(0, k) - exponential(1, k) - exponential(2, k)) < 1e-6);
  }
}

/// The root mean square error after three units of time in that many steps, over eight starts along
/// the orbit.
double orbit_error(const Method& method, int steps) {
  SolveOptions options;
  options.method = &method;
  options.fixed_step = 3.0 / steps;
  double sum = 0;
  for (int start = 0; start < 8; ++start) {
    const double t0 = start * std::numbers::pi / 4;
    const std::vector<double> exact = test::orbit(t0 + 3);
    const Simulation s = simulate(test::attraction, test::orbit(t0), {0, 3}, options);
    CHECK(s.report.accepted == static_cast<std::size_t>(steps));
    for (std::size_t i = 0; i < 4; ++i) sum += (s.y[i] - exact[i]) * (s.y[i] - exact[i]);
  }
  return std::sqrt(sum / 32);
}

// The numbers of steps double until the error is below 1e-11 or there are 4096 steps, and the last
// four of them count, as the order shows in the limit only. A mean over an ellipse, as one path may
// be one on which the leading error of a method all but vanishes: along the pendulum that of
// verner6 does, and its slope is that of the next order. Not further than to 1e-11, as the weights
// of verner6 are as large as 176 and cancel, which leaves rounding errors of 1e-12. Where steps are
// long, the equations of the implicit midpoint rule have no solution near the focus.
TEST_CASE("solve: halved steps show the order of every method") {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    std::vector<double> errors;
    for (int steps = method == &implicit_midpoint ? 32 : 8; steps <= 4096; steps *= 2) {
      errors.push_back(orbit_error(*method, steps));
      if (errors.back() < 1e-11) break;
    }
    REQUIRE(errors.size() >= 4);
    const double order = test::fitted_slope(std::span(errors).last(4));
    CAPTURE(order);
    CHECK(std::abs(order - method->order()) < 0.5);
  }
}

TEST_CASE("solve: the cubic spiral in single precision follows that in double") {
  const auto run = []<class T>(T, double tolerance) {
    Tape<T> tape;
    const Field<T> linear = linear_field(tape, Tensor<double>{{-.1, -2}, {2, -.1}});
    const Field<T> f = [&](const Var<T>& t, const Var<T>& y) { return linear(t, square(y) * y); };
    const Solution<T> s =
        solve(f, tape.input(Tensor<T>{{2, 0}}), {0, 25}, tolerances(tolerance, tolerance));
    CHECK(s.report.status == Status::success);
    return Tensor<T>(s.y.value()).template as<double>().to_vector();
  };
  const std::vector<double> exact = run(0.0, 1e-11);
  const std::vector<double> single = run(0.0F, 1e-6);
  CHECK(std::hypot(exact[0] - single[0], exact[1] - single[1]) < 2e-3);
}

TEST_CASE("solve: the ODE chain has the gradient of its closed form") {
  constexpr Index n = 8;
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>{0.7, -1.3, 0.9, 1.1, 2.0, -0.5, 1.7, 0.8});
  const Var<double> one = tape.input(Tensor<double>{1.0});
  const Field<double> f = [&](const Var<double>&, const Var<double>& y) {
    return x * concatenate<double>({one, slice(y, 0, 0, n - 1)}, 0);
  };
  const Var<double> y =
      solve(f, tape.input(Tensor<double>::zeros({n})), {0, 2}, tolerances(1e-12, 1e-12)).y;
  double product = 1;
  for (Index r = 0; r < n; ++r) {
    product *= x.value()(r) * 2 / static_cast<double>(r + 1);
    CHECK(y.value()(r) == doctest::Approx(product).epsilon(1e-9));
    const TensorView<double> g = gradient_values<double>(slice(y, 0, r, r + 1), std::vector{x})[0];
    for (Index i = 0; i < n; ++i) {
      CHECK(g(i) == doctest::Approx(i <= r ? product / x.value()(i) : 0.0).epsilon(1e-9));
    }
  }
}

TEST_CASE("solve: derivatives in the times are those of the closed form") {
  constexpr double rate = -0.8;
  for (const TimeSpan span : {TimeSpan{0.3, 1.9}, TimeSpan{1.9, 0.3}}) {
    Tape<double> tape;
    const Var<double> y0 = tape.scalar(1.4);
    const Var<double> t0 = tape.scalar(span.t0);
    const Var<double> t1 = tape.scalar(span.t1);
    const Field<double> f = [](const Var<double>& t, const Var<double>& y) { return y * rate + t; };
    const Solution<double> s = solve(f, y0, t0, t1, tight);
    const double growth = std::exp(rate * (span.t1 - span.t0));
    const double exact =
        growth * (1.4 + span.t0 / rate + 1 / (rate * rate)) - span.t1 / rate - 1 / (rate * rate);
    CHECK(s.y.item() == doctest::Approx(exact).epsilon(1e-9));
    CHECK(s.report.accepted > 3);
    const auto g = gradient_values<double>(s.y, std::vector{y0, t0, t1});
    CHECK(g[0].item() == doctest::Approx(growth).epsilon(1e-8));
    CHECK(g[1].item() == doctest::Approx(-growth * (rate * 1.4 + span.t0)).epsilon(1e-8));
    CHECK(g[2].item() == doctest::Approx(rate * exact + span.t1).epsilon(1e-8));
  }
}

}  // namespace
}  // namespace fjord::ode
