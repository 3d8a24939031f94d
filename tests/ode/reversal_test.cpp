/// The adjoint's second solve where the first one cannot be reversed: against the direct mode.
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::AdjointOptions;
using test::solve_adjoint;

using test::tolerances;
using Number = Var<double>;

/// y' = f(p, t, y), p a parameter near 1.
struct Case {
  const char* name;
  std::function<Number(const Number& p, const Number& t, const Number& y)> f;
  Tensor<double> y0;
  TimeSpan span;
};

Number part(const Number& y, Index i) {
  return slice(y, 0, i, i + 1);
}

Number join(const Vars<double>& parts) {
  return concatenate<double>(parts, 0);
}

Number logistic(const Number& p, const Number&, const Number& y) {
  return p * y * (1.0 - y) * 10.0;
}

Number pendulum(const Number& p, const Number&, const Number& y) {
  return join({part(y, 1), -p * sin(part(y, 0)) - part(y, 1) * 0.8});
}

Number van_der_pol(const Number& p, const Number&, const Number& y) {
  return join({part(y, 1), p * (1.0 - square(part(y, 0))) * part(y, 1) * 5.0 - part(y, 0)});
}

Number lorenz(const Number& p, const Number&, const Number& y) {
  const Number a = part(y, 0);
  const Number b = part(y, 1);
  const Number c = part(y, 2);
  return join({(b - a) * 10.0, a * (p * 28.0 - c) - b, a * b - c * (8.0 / 3)});
}

Number hunters(const Number& p, const Number&, const Number& y) {
  const Number caught = part(y, 0) * part(y, 1);
  return join({p * part(y, 0) * 1.5 - caught, caught - part(y, 1) * 3.0});
}

/// Fast and slow directions, at an angle to the axes.
Number two_rates(const Number& p, const Number&, const Number& y) {
  const Number fast = (part(y, 0) + part(y, 1)) * p * -20.0;
  const Number slow = (part(y, 0) - part(y, 1)) * -0.05;
  return join({fast + slow, fast - slow});
}

Number network(const Number& p, const Number& t, const Number& y) {
  const Number weight = t.tape().input(Tensor<double>{{1.8, -1.1}, {0.6, -2.3}});
  return tanh(matmul(y, weight) * p) * 2.0 - y * cos(t);
}

std::vector<Case> cases() {
  using Field3 = decltype(Case::f);
  const Field3 decay = [](const Number& p, const Number&, const Number& y) {
    return p * y * -50.0;
  };
  const Field3 growth = [](const Number& p, const Number&, const Number& y) { return p * y * 3.0; };
  const Field3 cubic = [](const Number& p, const Number&, const Number& y) {
    return p * square(y) * y * -1.0;
  };
  const Field3 two_wells = [](const Number& p, const Number&, const Number& y) {
    return p * y - square(y) * y;
  };
  const Field3 pull = [](const Number& p, const Number& t, const Number& y) {
    return (y - cos(t * p)) * -100.0;
  };
  const Field3 rotation = [](const Number& p, const Number&, const Number& y) {
    return join({p * part(y, 1) * 3.0, part(y, 0) * -3.0});
  };
  const Field3 there_and_back = [](const Number& p, const Number& t, const Number& y) {
    return p * y * cos(t) * 8.0;
  };
  const Field3 saturating = [](const Number& p, const Number&, const Number& y) {
    return p * sin(y) * 6.0;
  };
  // A row that contracts among many that do not.
  Tensor<double> rows = Tensor<double>::full({64, 1}, 0.999);
  rows(17, 0) = 1e-3;
  return {{"logistic", logistic, Tensor<double>{1e-3}, {0, 5}},
          {"logistic, short", logistic, Tensor<double>{0.3}, {0, 1}},
          {"logistic, one row of many", logistic, rows, {0, 5}},
          {"decay", decay, Tensor<double>{1.0}, {0, 1}},
          {"growth", growth, Tensor<double>{0.5}, {0, 3}},
          {"growth, in the past", growth, Tensor<double>{0.5}, {3, 0}},
          {"cubic", cubic, Tensor<double>{2.0}, {0, 20}},
          {"two wells", two_wells, Tensor<double>{0.01, -0.3}, {0, 20}},
          {"pull to a curve", pull, Tensor<double>{1.5}, {0, 3}},
          {"rotation", rotation, Tensor<double>{1.0, 0.0}, {0, 20}},
          {"grows and shrinks", there_and_back, Tensor<double>{0.1}, {0, 6}},
          {"saturates", saturating, Tensor<double>{0.1, 1.0}, {0, 6}},
          {"pendulum", pendulum, Tensor<double>{2.0, 0.0}, {0, 30}},
          {"van der Pol", van_der_pol, Tensor<double>{2.0, 0.0}, {0, 15}},
          {"Lorenz", lorenz, Tensor<double>{1.0, 2.0, 20.0}, {0, 2}},
          {"hunters", hunters, Tensor<double>{1.0, 1.0}, {0, 10}},
          {"two rates", two_rates, Tensor<double>{1.0, 0.3}, {0, 5}},
          {"network", network, Tensor<double>{{0.4, -0.7}, {1.2, 0.1}}, {0, 4}}};
}

/// The gradients of a weighted sum of y(t1) in y0, t0, t1 and p, as one list.
std::vector<double> gradient_of(const Case& c, bool adjoint, const AdjointOptions& options) {
  Tape<double> tape;
  const Vars<double> inputs{tape.input(c.y0), tape.scalar(c.span.t0), tape.scalar(c.span.t1),
                            tape.scalar(1.0)};
  const Number p = inputs[3];
  const Field<double> f = [&](const Number& t, const Number& y) { return c.f(p, t, y); };
  const Solution<double> s =
      adjoint ? solve_adjoint<double>(f, inputs[0], inputs[1], inputs[2], options)
              : solve(f, inputs[0], inputs[1], inputs[2], options.forward);
  REQUIRE(s.report.status == Status::success);
  const Number loss = sum(square(s.y + 0.3));
  std::vector<double> numbers;
  for (const TensorView<double>& g : gradient_values<double>(loss, inputs)) {
    const std::vector<double> of_one = Tensor<double>(g).to_vector();
    numbers.insert(numbers.end(), of_one.begin(), of_one.end());
  }
  return numbers;
}

double worst_entry(const std::vector<double>& a) {
  double worst = 0;
  for (const double x : a) worst = std::max(worst, std::abs(x));
  return worst;
}

double distance(std::vector<double> a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return worst_entry(a);
}

TEST_CASE("reversal: the gradient is that of the direct mode, or the solve fails") {
  for (const Case& c : cases()) {
    const std::vector<double> exact = gradient_of(c, false, {tolerances(1e-11, 1e-11), {}});
    for (const double tolerance : {1e-4, 1e-6, 1e-8}) {
      CAPTURE(std::string(c.name));
      CAPTURE(tolerance);
      const SolveOptions both = tolerances(tolerance, tolerance);
      const double size = worst_entry(exact) + 100 * tolerance;
      const double direct = distance(gradient_of(c, false, {both, both}), exact) / size;
      CAPTURE(direct);
      double adjoint = 0;
      CHECK_NOTHROW(adjoint = distance(gradient_of(c, true, {both, both}), exact) / size);
      if (direct < 1e-2) CHECK(adjoint < 1e-2);
    }
  }
}

TEST_CASE("reversal: a logistic curve's gradient vanishes with the memory of its start") {
  // y = 1 / (1 + c exp(-10 t)), c = 1 / y0 - 1: dy/dy0 at 5 is exp(-50) / y0^2 / (...)^2 = 1.9e-16.
  for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
    Tape<double> tape;
    const Number y0 = tape.scalar(1e-3);
    const Field<double> f = [](const Number& t, const Number& y) {
      return logistic(t.tape().scalar(1.0), t, y);
    };
    const SolveOptions both = tolerances(tolerance, tolerance);
    const Number y =
        solve_adjoint<double>(f, y0, tape.scalar(0.0), tape.scalar(5.0), {both, both}).y;
    CHECK(std::abs(gradient_values<double>(y, std::vector{y0})[0].item()) < 10 * tolerance);
  }
}

TEST_CASE("reversal: recorded sweeps come back, too, in every nesting") {
  // y = exp(-p t) sin-free decay: y1 = y0 exp(-30 p), far too small for its start to be seen.
  const SolveOptions both = tolerances(1e-9, 1e-9);
  for (const double t1 : {0.2, 1.0}) {
    Tape<double> tape;
    const Number y0 = tape.scalar(0.2);
    const Number p = tape.scalar(1.0);
    // The logistic curve from 0.2: y = 1 / (1 + 4 exp(-30 p t)).
    const Field<double> f = [p](const Number&, const Number& y) {
      return p * y * (1.0 - y) * 30.0;
    };
    const Number y =
        solve_adjoint<double>(f, y0, tape.scalar(0.0), tape.scalar(t1), {both, both}).y;
    const double e = 4 * std::exp(-30 * t1);
    const double first = 30 * t1 * e / std::pow(1 + e, 2);
    const double second = -900 * t1 * t1 * e * (1 - e) / std::pow(1 + e, 3);
    const Number g = pullback<double>({y}, {tape.scalar(1.0)}, {p})[0];
    CHECK(std::abs(g.item() - first) < 1e-6);
    CHECK(std::abs(gradient_values<double>(g, std::vector{p})[0].item() - second) < 1e-5);
    CHECK(std::abs(pushforward(p, tape.scalar(1.0), g).item() - second) < 1e-5);
    const Number moved = pushforward(p, tape.scalar(1.0), y);
    CHECK(std::abs(moved.item() - first) < 1e-6);
    CHECK(std::abs(gradient_values<double>(moved, std::vector{p})[0].item() - second) < 1e-5);
  }
}

TEST_CASE("reversal: the memory of a sweep of values does not grow with the parts") {
  Tape<double> tape;
  const Field<double> decay = [](const Number&, const Number& y) { return y * -50.0; };
  const Number y0 = tape.input(Tensor<double>::full({500}, 1.0));
  const SolveOptions both = tolerances(1e-6, 1e-6);
  const Number t0 = tape.scalar(0.0);
  std::vector<std::size_t> peaks;
  for (const double t1 : {1.0, 30.0}) {
    const Solution<double> s = solve_adjoint<double>(decay, y0, t0, tape.scalar(t1), {both, both});
    gradient_values<double>(sum(s.y), std::vector{y0});
    peaks.push_back(tape.peak_bytes());
    CHECK(s.report.sweep_evaluations() > 100);
  }
  CHECK(static_cast<double>(peaks[1]) < 2 * static_cast<double>(peaks[0]));
}

TEST_CASE("reversal: tolerances finer than rounding errors are not drift") {
  for (const float tolerance : {1e-6F, 1e-7F, 3e-8F}) {
    Tape<float> tape;
    const Var<float> y0 = tape.input(Tensor<float>{100, 1e-3F});
    const Field<float> f = [](const Var<float>& t, const Var<float>& y) {
      return concatenate<float>({slice(y, 0, 1, 2), -slice(y, 0, 0, 1)}, 0) * cos(t * 0.3F);
    };
    SolveOptions both;
    both.rtol = both.atol = static_cast<double>(tolerance);
    const Solution<float> s =
        solve_adjoint<float>(f, y0, tape.scalar(0.0F), tape.scalar(2.0F), {both, both});
    REQUIRE(s.report.status == Status::success);
    const float angle = std::sin(0.6F) / 0.3F;
    const Tensor<float> g(gradient_values<float>(sum(s.y), std::vector{y0})[0]);
    CHECK(g(0) == doctest::Approx(std::cos(angle) - std::sin(angle)).epsilon(1e-4));
    CHECK(s.report.sweep_evaluations() < 10 * s.report.evaluations);
  }
}

TEST_CASE("reversal: a field that changes its mind is an error") {
  std::size_t calls = 0;
  std::size_t first_solve = 0;
  const Field<double> f = [&](const Number& t, const Number& y) {
    return ++calls > first_solve && first_solve > 0
               ? y * 0.0 + cos(t * static_cast<double>(calls)) * 1e9
               : -y;
  };
  Tape<double> tape;
  const Number y0 = tape.scalar(1.0);
  const Number y = solve_adjoint<double>(f, y0, tape.scalar(0.0), tape.scalar(1.0)).y;
  first_solve = calls;
  CHECK_THROWS_AS(gradient_values<double>(y, std::vector{y0}), SolveFailure);
}

TEST_CASE("reversal: rest that friction brought on tells no part of the way that led there") {
  // A sliding block stops and stays, wherever it came from: backwards it may start at any time. The
  // second solve has tolerances so fine that it is far off however short a part is.
  const Field<double> friction = [](const Number&, const Number& y) { return -sign(y); };
  const AdjointOptions options{tolerances(1e-3, 1e-3), tolerances(1e-13, 1e-13)};
  Tape<double> tape;
  const Number y0 = tape.scalar(1.0);
  const Solution<double> s =
      solve_adjoint<double>(friction, y0, tape.scalar(0.0), tape.scalar(2.0), options);
  REQUIRE(s.report.status == Status::success);
  CHECK(std::abs(s.y.item()) < 1e-2);
  const auto check_fails = [](const auto& sweep) {
    try {
      sweep();
      FAIL("the second solve came back");
    } catch (const SolveFailure& failure) {
      CAPTURE(failure.outcome());
      CHECK(failure.report().status == Status::irreversible);
      CHECK(failure.report().t > 1);
      CHECK(failure.report().t <= 2);
      CHECK(failure.outcome().find("did not come back to the state") != std::string::npos);
      CHECK(std::string(failure.what()).find("through the recorded steps") != std::string::npos);
    }
  };
  check_fails([&] { gradient_values<double>(s.y, std::vector{y0}); });
  check_fails([&] { pullback<double>({s.y}, {tape.scalar(1.0)}, {y0}); });
}

}  // namespace
}  // namespace fjord::ode
