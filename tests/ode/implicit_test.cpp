/// The implicit midpoint rule, and what solves do with steps whose equations cannot be solved.
#include <cmath>
#include <complex>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/implicit_midpoint.hpp"
#include "fjord/ode/newton_matrix.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/orbit.hpp"

namespace fjord::ode {
namespace {

using Numbers = std::vector<double>;

SolveOptions steps_of(double h, const GradientMode& mode = direct) {
  SolveOptions options;
  options.method = &implicit_midpoint;
  options.fixed_step = h;
  options.max_steps = 1'000'000;
  options.gradient = &mode;
  return options;
}

const Checkpointed two_snapshots(2);

TEST_CASE("implicit: a step of y' = z y is the stability function of the rule") {
  using Complex = std::complex<double>;
  for (const Complex z : {Complex(-0.3, 0), Complex(-1, 2), Complex(0, 5), Complex(-1e3, 1e3),
                          Complex(-1e6, 0), Complex(1, 0.5)}) {
    CAPTURE(z.real());
    CAPTURE(z.imag());
    const auto f = [&](double, std::span<const double> y, std::span<double> dydt) {
      const Complex slope = z * Complex(y[0], y[1]);
      dydt[0] = slope.real();
      dydt[1] = slope.imag();
    };
    const Simulation s = simulate(f, Numbers{0.8, -0.5}, {0, 1}, steps_of(1));
    const Complex exact = (1.0 + z / 2.0) / (1.0 - z / 2.0) * Complex(0.8, -0.5);
    CHECK(s.report.accepted == 1);
    CHECK(std::abs(Complex(s.y[0], s.y[1]) - exact) < 1e-14);
  }
}

TEST_CASE_TEMPLATE("implicit: a stiff field is solved with long steps", T, float, double) {
  // y' = -1e4 (y - cos t) along the smooth solution: Prothero & Robinson's problem.
  constexpr double rate = 1e4;
  constexpr double h = 0.1;
  const auto smooth = [](double t) {
    return rate / (rate * rate + 1) * (rate * std::cos(t) + std::sin(t));
  };
  // By hand, as the equation is linear.
  double by_hand = smooth(0);
  for (int i = 0; i < 20; ++i) {
    const double drive = h / 2 * rate * std::cos((i + 0.5) * h);
    by_hand = 2 * (by_hand + drive) / (1 + h / 2 * rate) - by_hand;
  }
  // A step adds h^2/4 y'' in the limit of stiff fields, with changing signs.
  CHECK(std::abs(by_hand - smooth(2)) < h * h / 4);
  const double rounding = 100 * static_cast<double>(std::numeric_limits<T>::epsilon());
  Tape<T> tape;
  const Field<T> f = [](const Var<T>& t, const Var<T>& y) { return (y - cos(t)) * T(-rate); };
  for (const GradientMode* mode : gradient_modes()) {
    if (!mode->suits(implicit_midpoint)) continue;
    CAPTURE(mode->name());
    const Solution<T> s = solve(f, tape.scalar(T(smooth(0))), {0, 2}, steps_of(h, *mode));
    CHECK(s.report.accepted == 20);
    CHECK(std::abs(static_cast<double>(s.y.item()) - by_hand) < rounding);
  }
  const auto plain = [](double t, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = -rate * (y[0] - std::cos(t));
  };
  CHECK(std::abs(simulate(plain, Numbers{smooth(0)}, {0, 2}, steps_of(h)).y[0] - by_hand) < 1e-13);
}

TEST_CASE("implicit: Van der Pol's equation, before and after a jump") {
  const auto f = [](double, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = y[1];
    dydt[1] = 100 * (1 - y[0] * y[0]) * y[1] - y[0];
  };
  // From (2, 0), by scipy's DOP853 at rtol 1e-13 and Radau at 1e-12, which agree to 1e-14.
  const auto error = [&](double t1, double exact, double h) {
    return std::abs(simulate(f, Numbers{2, 0}, {0, t1}, steps_of(h)).y[0] - exact);
  };
  CHECK(error(50, 1.5968240409770875, 0.01) < 1e-5);
  const double late = error(100, -1.8689241598836953, 0.001);
  CHECK(late < 1e-3);
  CHECK(error(100, -1.8689241598836953, 0.0005) < late / 3.5);
}

/// A step of y' = -p y^2, whose equation is quadratic, and its derivatives in y0 and p.
struct Quadratic {
  double y0, p, h;

  double root() const { return std::sqrt(1 + 2 * h * p * y0); }

  double y() const { return 2 * (root() - 1) / (h * p) - y0; }

  double in_p() const { return 2 * (y0 / root() - (root() - 1) / (h * p)) / p; }

  double first() const { return 2 / root() - 1; }

  double second() const { return -2 * h * p * std::pow(root(), -3); }

  double third() const { return 6 * h * h * p * p * std::pow(root(), -5); }
};

TEST_CASE_TEMPLATE("implicit: derivatives of a step are those of its closed form", T, float,
                   double) {
  const double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Quadratic& exact : {Quadratic{1.3, 0.7, 0.5}, Quadratic{1, 50, 0.2}}) {
    for (const GradientMode* mode : {static_cast<const GradientMode*>(&direct),
                                     static_cast<const GradientMode*>(&checkpointed),
                                     static_cast<const GradientMode*>(&two_snapshots)}) {
      CAPTURE(mode->name());
      Tape<T> tape;
      const Var<T> y0 = tape.scalar(T(exact.y0));
      const Var<T> p = tape.scalar(T(exact.p));
      const Field<T> f = [p](const Var<T>&, const Var<T>& y) { return square(y) * -p; };
      const Var<T> y = solve(f, y0, {0, exact.h}, steps_of(1, *mode)).y;
      const auto check = [](const Var<T>& found, double expected, double bound) {
        CHECK(std::abs(static_cast<double>(found.item()) - expected) <
              bound * (1 + std::abs(expected)));
      };
      check(y, exact.y(), 10 * eps);
      const Vars<T> one{tape.scalar(T(1))};
      const Vars<T> first = pullback({y}, one, {y0, p});
      check(first[0], exact.first(), 20 * eps);
      check(first[1], exact.in_p(), 20 * eps);
      const Var<T> second = pullback({first[0]}, one, {y0})[0];
      check(second, exact.second(), 100 * eps);
      check(pushforward(y0, one[0], first[0]), exact.second(), 100 * eps);
      check(pullback({second}, one, {y0})[0], exact.third(), 5 * std::sqrt(eps));
    }
  }
}

TEST_CASE("implicit: derivatives through rows of a network in every nesting") {
  const Tensor<double> weight{{1.8, -1.1}, {0.6, -2.3}};
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&direct),
                                   static_cast<const GradientMode*>(&two_snapshots)}) {
    const CheckedFunction f = [&](const Vars<double>& inputs) {
      const Var<double> w = inputs[1];
      const Field<double> field = [w](const Var<double>& t, const Var<double>& y) {
        return sin(matmul(y, w)) - y * cos(t);
      };
      return sum(exp(solve(field, inputs[0], inputs[2], inputs[3], steps_of(0.1, *mode)).y));
    };
    const GradientCheck check =
        check_gradient(f, {Tensor<double>{{0.2, -0.1}, {0.4, 0.3}, {-0.3, 0.5}}, weight,
                           Tensor<double>(0.1), Tensor<double>(0.55)});
    CHECK(check.worst() < 1e-7);
  }
}

TEST_CASE("implicit: an equation without a solution ends a solve with a status that says so") {
  // At a distance r, the middle of the step is pulled in by h^2 / 4 r^2 from where a free flight
  // from the perihelion would be, 0.536 away; but r + 0.0352 / r^2 is nowhere less than 0.618.
  const Simulation s = simulate(test::attraction, test::orbit(0), {0, 3}, steps_of(0.375));
  CHECK(s.report.status == Status::not_solved);
  CHECK(s.report.accepted == 0);
  CHECK(s.y == test::orbit(0));
  CHECK(s.report.message().find("did not converge at t = 0 after 0 steps; take shorter steps") !=
        std::string::npos);
  // y = 1 + y^2 h/2 likewise, at h = 1.
  for (const GradientMode* mode : gradient_modes()) {
    if (!mode->suits(implicit_midpoint)) continue;
    CAPTURE(mode->name());
    Tape<double> tape;
    const Field<double> f = [](const Var<double>&, const Var<double>& y) { return square(y); };
    const Report r = solve(f, tape.scalar(1.0), {0, 3}, steps_of(1, *mode)).report;
    CHECK(r.status == Status::not_solved);
    CHECK(r.t == 0);
  }
  // A field that is NaN is another matter, sooner or later.
  for (const double end : {0.0, 0.5}) {
    const auto plain = [=](double t, std::span<const double> y, std::span<double> dydt) {
      dydt[0] = t > end ? std::nan("") : y[0];
    };
    const auto is_nan = [](const Report& r) { return r.status == Status::non_finite; };
    CHECK(is_nan(simulate(plain, Numbers{1}, {0, 1}, steps_of(0.1)).report));
    Tape<double> tape;
    const Field<double> f = [=](const Var<double>& t, const Var<double>& y) {
      return t.item() > end ? y * std::nan("") : y;
    };
    for (const GradientMode* mode : gradient_modes()) {
      if (!mode->suits(implicit_midpoint)) continue;
      CHECK(is_nan(solve(f, tape.scalar(1.0), {0, 1}, steps_of(0.1, *mode)).report));
    }
  }
}

/// Euler's method with an error estimate, whose steps longer than a limit are not solved.
class Unsolved final : public MethodOf<Unsolved> {
 public:
  explicit Unsolved(double limit) : limit_(limit) {}

  std::string_view name() const override { return "unsolved"; }

  std::string_view kind() const override { return "explicit"; }

  int order() const override { return 1; }

  int error_order() const override { return 2; }

  template <class Space>
  void step(Step<Space>& step) const {
    static constexpr std::array once{1.0};
    static constexpr std::array none{0.0};
    step.is_solved = std::abs(step.h) <= limit_;
    step.stages[0] = step.slope;
    step.y_next = step.space.combine(step.y, once, std::array{step.slope});
    step.error = {none, {}};
  }

 private:
  double limit_;
};

TEST_CASE("implicit: steps that are not solved are made shorter, as far as they can be") {
  const auto f = [](double, std::span<const double> y, std::span<double> dydt) { dydt[0] = -y[0]; };
  SolveOptions options;
  const Unsolved short_only(0.01);
  options.method = &short_only;
  const Report shorter = simulate(f, Numbers{1}, {0, 1}, options).report;
  CHECK(shorter.status == Status::success);
  CHECK(shorter.rejected > 0);
  CHECK(shorter.accepted >= 100);
  const Unsolved never(0);
  options.method = &never;
  CHECK(simulate(f, Numbers{1}, {0, 1}, options).report.status == Status::not_solved);
  options.max_steps = 3;
  CHECK(simulate(f, Numbers{1}, {0, 1}, options).report.status == Status::not_solved);
}

TEST_CASE_TEMPLATE("newton_matrix: divides by 1 - a times the Jacobian, and its transpose", T,
                   float, double) {
  constexpr std::size_t n = 7;
  Tensor<T> jacobian = Tensor<T>::zeros({n, n});
  RandomKey(5).normal(jacobian.storage());
  const auto times = [&](std::span<const T> x, bool is_transposed) {
    std::vector<T> product(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        product[i] += (is_transposed ? jacobian(j, i) : jacobian(i, j)) * x[j];
    }
    return product;
  };
  const T a = T(0.2);
  const std::vector<T> x{1, -2, T(0.5), 3, 0, T(-0.1), 2};
  NewtonMatrix<T> matrix;
  const auto f = [&](std::span<const T> y, std::span<T> slope) {
    std::ranges::copy(times(y, false), slope.begin());
  };
  REQUIRE(matrix.assign(a, x, times(x, false), f));
  for (const bool is_transposed : {false, true}) {
    std::vector<T> quotient = times(x, is_transposed);
    for (std::size_t i = 0; i < n; ++i) quotient[i] = x[i] - a * quotient[i];
    if (is_transposed) {
      matrix.divide_by_transpose(quotient);
    } else {
      matrix.divide(quotient);
    }
    for (std::size_t i = 0; i < n; ++i)
      CHECK(std::abs(quotient[i] - x[i]) < 100 * std::sqrt(std::numeric_limits<T>::epsilon()));
  }
  // y' = y with a = 1.
  const auto same = [](std::span<const T> y, std::span<T> slope) {
    std::ranges::copy(y, slope.begin());
  };
  const std::vector<T> powers{1, 2, 4};
  CHECK_FALSE(matrix.assign(1, powers, powers, same));
}

}  // namespace
}  // namespace fjord::ode
