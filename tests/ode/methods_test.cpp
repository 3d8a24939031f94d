/// What methods promise besides their order: energy, ways back, output between steps.
#include "fjord/ode/methods.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/plain_space.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/orbit.hpp"

namespace fjord::ode {
namespace {

using Numbers = std::vector<double>;

void pendulum(double, std::span<const double> y, std::span<double> dydt) {
  dydt[0] = y[1];
  dydt[1] = -std::sin(y[0]);
}

double energy(const Numbers& y) {
  return y[1] * y[1] / 2 - std::cos(y[0]);
}

Numbers one_step(const Method& method, const Numbers& y, double h) {
  SolveOptions options;
  options.method = &method;
  options.fixed_step = h;
  return simulate(pendulum, y, {0, h}, options).y;
}

/// The largest change of a pendulum's energy in each tenth of so many steps.
Numbers energy_errors(const Method& method, double h, int steps) {
  Numbers y{1, 0};
  const double start = energy(y);
  Numbers largest(10);
  for (int i = 0; i < steps; ++i) {
    y = one_step(method, y, h);
    double& error = largest[static_cast<std::size_t>(i * 10 / steps)];
    error = std::max(error, std::abs(energy(y) - start));
  }
  return largest;
}

std::vector<const Method*> split_methods() {
  return {&semi_implicit_euler, &leapfrog, &yoshida4, &yoshida6};
}

TEST_CASE("methods: a pendulum keeps its energy in geometric methods, and loses it in others") {
  for (const Method* method : split_methods()) {
    CAPTURE(method->name());
    const Numbers errors = energy_errors(*method, 0.2, 10'000);
    for (const double error : errors) {
      CHECK(error < 1.01 * errors[0]);
      CHECK(error > 0.99 * errors[0]);
    }
    // The bound is of the method's order: Hairer, Lubich & Wanner, theorem IX.8.1.
    const double halved = std::ranges::max(energy_errors(*method, 0.1, 1000));
    CHECK(std::abs(std::log2(errors[0] / halved) - method->order()) < 0.5);
  }
  for (const Method* method : {&rk4, &heun2, &dormand_prince}) {
    CAPTURE(method->name());
    const Numbers errors = energy_errors(*method, 0.2, 10'000);
    CHECK(errors[9] > 5 * errors[0]);
    CHECK(std::ranges::is_sorted(errors));
  }
}

TEST_CASE("methods: geometric methods keep areas, others do not") {
  const auto area = [](const Method& method) {
    constexpr double d = 1e-3;
    const auto difference = [&](double q, double v) {
      const auto moved = [&](double s) {
        return one_step(method, {0.8 + s * q, 0.3 + s * v}, 0.4);
      };
      const Numbers a = moved(d);
      const Numbers b = moved(-d);
      const Numbers c = moved(2 * d);
      const Numbers e = moved(-2 * d);
      return Numbers{(8 * (a[0] - b[0]) - c[0] + e[0]) / (12 * d),
                     (8 * (a[1] - b[1]) - c[1] + e[1]) / (12 * d)};
    };
    const Numbers p = difference(1, 0);
    const Numbers q = difference(0, 1);
    return p[0] * q[1] - p[1] * q[0];
  };
  for (const Method* method : split_methods()) CHECK(std::abs(area(*method) - 1) < 1e-10);
  CHECK(std::abs(area(implicit_midpoint) - 1) < 1e-10);
  CHECK(std::abs(area(heun2) - 1) > 1e-4);
  CHECK(std::abs(area(rk4) - 1) > 1e-6);
}

TEST_CASE("methods: leapfrog is velocity Verlet, and symplectic Euler kicks first") {
  const Numbers y{0.8, 0.3};
  constexpr double h = 0.4;
  const double half = y[1] - h / 2 * std::sin(y[0]);
  const double q = y[0] + h * half;
  const Numbers verlet = one_step(leapfrog, y, h);
  CHECK(verlet[0] == doctest::Approx(q).epsilon(1e-15));
  CHECK(verlet[1] == doctest::Approx(half - h / 2 * std::sin(q)).epsilon(1e-15));
  const double kicked = y[1] - h * std::sin(y[0]);
  CHECK(one_step(semi_implicit_euler, y, h)[0] ==
        doctest::Approx(y[0] + h * kicked).epsilon(1e-15));
  CHECK(one_step(semi_implicit_euler, y, h)[1] == doctest::Approx(kicked).epsilon(1e-15));
}

/// Steps of one length on plain memory, with what they hand on.
class Walk {
 public:
  Walk(const Method& method, const PlainField& f, const Numbers& y0, double t, double h)
      : method_(method), f_(f), space_(f_, static_cast<Index>(y0.size())), t_(t), h_(h) {
    y_ = space_.new_vector();
    std::ranges::copy(y0, y_);
    size_ = y0.size();
  }

  /// Makes a step; returns the state at that part of it.
  Numbers step(double part = 1) {
    space_.begin_step({t_, t_ + h_, t_, t_ + h_, false});
    Step<PlainSpace> step{.space = space_, .h = h_, .h_last = h_, .y = y_, .slope = nullptr};
    if (method_.needs_slope()) step.slope = space_.slope(0, y_);
    step.carry = carry_;
    method_.make(step);
    const double* out = part == 1 ? step.y_next : method_.between(step, part);
    y_ = step.y_next;
    carry_ = step.carry;
    t_ += h_;
    return {out, out + size_};
  }

  /// What was handed on: past slopes, or a second state.
  Numbers carried(std::size_t i) const { return {carry_[i], carry_[i] + size_}; }

 private:
  const Method& method_;
  PlainField f_;
  PlainSpace space_;
  double t_;
  double h_;
  double* y_ = nullptr;
  std::array<double*, max_carry> carry_{};
  std::size_t size_ = 0;
};

/// A field of two numbers that depends on time.
Numbers driven(double t, const Numbers& y) {
  return {y[1] + 0.1 * std::cos(t), -std::sin(y[0]) + 0.2 * std::cos(y[1]) + 0.1 * std::sin(2 * t)};
}

void driven_plain(double t, std::span<const double> y, std::span<double> dydt) {
  std::ranges::copy(driven(t, Numbers(y.begin(), y.end())), dydt.begin());
}

Numbers add(const Numbers& y, double h, const Numbers& k) {
  return {y[0] + h * k[0], y[1] + h * k[1]};
}

/// A step of an explicit method from the tables of the literature, less its start.
using Increment = std::function<Numbers(double t, const Numbers& y, double h)>;

Numbers midpoint_increment(double t, const Numbers& y, double h) {
  const Numbers k = driven(t + h / 2, add(y, h / 2, driven(t, y)));
  return {h * k[0], h * k[1]};
}

/// Dormand & Prince (1980), as in Hairer, Norsett & Wanner, table II.5.2.
Numbers dormand_prince_increment(double t, const Numbers& y, double h) {
  const std::vector<Numbers> a{
      {},
      {1.0 / 5},
      {3.0 / 40, 9.0 / 40},
      {44.0 / 45, -56.0 / 15, 32.0 / 9},
      {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
      {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656}};
  const Numbers b{35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84};
  const Numbers c{0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1};
  std::vector<Numbers> k;
  Numbers sum{0, 0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    Numbers at = y;
    for (std::size_t j = 0; j < i; ++j) at = add(at, h * a[i][j], k[j]);
    k.push_back(driven(t + c[i] * h, at));
    sum = add(sum, h * b[i], k[i]);
  }
  return sum;
}

TEST_CASE("methods: steps of reversible methods are undone by their inverses") {
  constexpr double h = 0.1;
  constexpr int steps = 200;
  const Numbers start{0.6, -0.3};
  const auto check_start = [&](const Numbers& y, const Numbers& z) {
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(std::abs(y[i] - start[i]) < 1e-11);
      CHECK(std::abs(z[i] - start[i]) < 1e-11);
    }
  };

  // McCallum & Foster (2024), section 3.1: the pair (y, z), with 0.999 for lambda.
  struct Case {
    const Method* method;
    Increment increment;
  };

  for (const Case& c : {Case{&reversible_midpoint, midpoint_increment},
                        Case{&reversible_dormand_prince, dormand_prince_increment}}) {
    CAPTURE(c.method->name());
    Walk walk(*c.method, driven_plain, start, 0.5, h);
    Numbers y;
    for (int i = 0; i < steps; ++i) y = walk.step();
    Numbers z = walk.carried(0);
    CHECK(std::abs(y[0] - start[0]) > 0.1);
    constexpr double lambda = 0.999;
    for (int i = steps; i-- > 0;) {
      const double t = 0.5 + i * h;
      z = add(z, 1, c.increment(t + h, y, -h));
      const Numbers moved = add(y, -1, c.increment(t, z, h));
      for (std::size_t k = 0; k < 2; ++k) y[k] = moved[k] / lambda + (1 - 1 / lambda) * z[k];
    }
    check_start(y, z);
  }
  // Kidger et al. (2021), algorithm 2, without noise.
  Walk walk(reversible_heun, driven_plain, start, 0.5, h);
  Numbers y;
  for (int i = 0; i < steps; ++i) y = walk.step();
  Numbers z = walk.carried(0);
  Numbers slope = walk.carried(1);
  for (int i = steps; i-- > 0;) {
    Numbers before(2);
    for (std::size_t k = 0; k < 2; ++k) before[k] = 2 * y[k] - z[k] - h * slope[k];
    z = before;
    const Numbers slope_before = driven(0.5 + i * h, z);
    for (std::size_t k = 0; k < 2; ++k) y[k] -= h / 2 * (slope[k] + slope_before[k]);
    slope = slope_before;
  }
  check_start(y, z);
}

TEST_CASE("methods: reversible Heun asks once a step, Adams-Bashforth too") {
  for (const Method* method : {static_cast<const Method*>(&reversible_heun),
                               static_cast<const Method*>(&adams_bashforth2)}) {
    SolveOptions options;
    options.method = method;
    options.fixed_step = 0.01;
    const Simulation s = simulate(driven_plain, Numbers{0.6, -0.3}, {0, 1}, options);
    CHECK(s.report.accepted == 100);
    CHECK(s.report.evaluations == 101);
  }
}

TEST_CASE("methods: Adams-Bashforth of changing steps integrates the line through two slopes") {
  // Lengths that change by factors between 0.3 and 3.
  const auto grid_of = [](int count) {
    Numbers grid;
    double t = 0;
    for (int i = 0; i < count; ++i) grid.push_back(t += 1 + 0.5 * std::sin(2.0 * i));
    for (double& time : grid) time *= 4 / t;
    grid.back() = 4;
    return grid;
  };
  const auto slope = [](double t, double y) { return y * std::cos(t); };
  const auto f = [&](double t, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = slope(t, y[0]);
  };
  Numbers errors;
  for (int count = 16; count <= 1024; count *= 2) {
    SolveOptions options;
    options.method = &adams_bashforth2;
    options.grid = grid_of(count);
    const double end = simulate(f, Numbers{1}, {0, 4}, options).y[0];
    errors.push_back(std::abs(end - std::exp(std::sin(4.0))));
    // By hand: Heun's step, then the integral of the line from the slopes' times.
    const double first = options.grid[0];
    double last_slope = slope(0, 1);
    double y = 1 + first / 2 * (last_slope + slope(first, 1 + first * last_slope));
    double last = 0;
    for (std::size_t i = 0; i + 1 < options.grid.size(); ++i) {
      const double t = options.grid[i];
      const double next = options.grid[i + 1];
      const double now = slope(t, y);
      y += (next - t) * now + (next - t) * (next - t) / 2 * (now - last_slope) / (t - last);
      last_slope = now;
      last = t;
    }
    CHECK(end == doctest::Approx(y).epsilon(1e-13));
  }
  CHECK(std::abs(test::fitted_slope(std::span(errors).last(4)) - 2) < 0.2);
  // After a jump it begins anew: order 2 still.
  const auto jumping = [&](double t, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = t < 1.5 ? y[0] : -3 * y[0];
  };
  errors.clear();
  for (int steps = 64; steps <= 512; steps *= 2) {
    SolveOptions options;
    options.method = &adams_bashforth2;
    options.fixed_step = 4.0 / steps;
    options.jumps = {1.5};
    errors.push_back(
        std::abs(simulate(jumping, Numbers{1}, {0, 4}, options).y[0] - std::exp(1.5 - 7.5)));
  }
  CHECK(std::abs(test::fitted_slope(errors) - 2) < 0.3);
}

/// The root mean square error of output at several parts of a step of length h, over eight starts
/// along an ellipse.
double output_error(const Method& method, double h) {
  double sum = 0;
  for (int start = 0; start < 8; ++start) {
    const double t0 = start * std::numbers::pi / 4;
    for (const double part : {0.1, 0.37, 0.5, 0.83}) {
      Walk walk(method, test::attraction, test::orbit(t0), t0, h);
      const Numbers y = walk.step(part);
      const Numbers exact = test::orbit(t0 + part * h);
      for (std::size_t i = 0; i < 4; ++i) sum += (y[i] - exact[i]) * (y[i] - exact[i]);
    }
  }
  return std::sqrt(sum / 128);
}

// The error within one step is of the order of its length to the power one above that of the
// output, which is the table's own or Hermite's third, or to the one above that of the method if
// that is less. The conditions that verner6 and verner7 lack for one order more they miss so
// narrowly that along this path the next term is the larger one, as far as rounding errors allow to
// look. The equations of the implicit midpoint rule have no solution near the focus where steps are
// long.
TEST_CASE("methods: output between the ends of a step has its order in every method") {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    const int order = std::min(method->dense_order(), method->order()) + 1;
    Numbers errors;
    for (double h = method == &implicit_midpoint ? 0.125 : 0.5; h > 1e-4; h /= 2) {
      errors.push_back(output_error(*method, h));
      if (errors.size() >= 3 && errors.back() < 1e-11) break;
    }
    REQUIRE(errors.size() >= 3);
    CAPTURE(errors.size());
    CAPTURE(errors.back());
    const double excess = test::fitted_slope(std::span(errors).last(3)) - order;
    CHECK(excess > -0.5);
    CHECK(excess < (method == &verner6 || method == &verner7 ? 1.5 : 0.5));
  }
}

TEST_CASE("methods: Hermite's output is exact for cubics") {
  const auto cubic = [](double t) { return Numbers{t * t * t - 2 * t * t + t, 5 - t * t * t}; };
  const auto f = [](double t, std::span<const double>, std::span<double> dydt) {
    dydt[0] = 3 * t * t - 4 * t + 1;
    dydt[1] = -3 * t * t;
  };
  for (const Method* method : methods()) {
    const auto* table = dynamic_cast<const ExplicitRungeKutta*>(method);
    if (table == nullptr || table->tableau().dense_order > 0 || method->order() < 3) continue;
    CAPTURE(method->name());
    for (const double part : {0.0, 0.2, 0.75}) {
      Walk walk(*method, f, cubic(0.3), 0.3, -0.8);
      const Numbers y = walk.step(part);
      for (std::size_t i = 0; i < 2; ++i)
        CHECK(y[i] == doctest::Approx(cubic(0.3 - 0.8 * part)[i]).epsilon(1e-13));
    }
  }
}

TEST_CASE("methods: derivatives in the times are those of the numbers, with every method") {
  // y' = -y + t: against differences of solves that end a little earlier or later, whose last step
  // alone has another length.
  for (const Method* method : methods()) {
    if (dynamic_cast<const SplitMethod*>(method) != nullptr) continue;  // no two halves
    CAPTURE(method->name());
    SolveOptions options;
    options.method = method;
    options.grid = {0.2, 0.35, 0.6, 0.9};
    Tape<double> tape;
    const Var<double> y0 = tape.scalar(1.3);
    const Field<double> f = [](const Var<double>& t, const Var<double>& y) { return t - y * y; };
    const auto end = [&](double t1) {
      return solve(f, y0, tape.scalar(0.0), tape.scalar(t1), options).y.item();
    };
    const Var<double> t1 = tape.scalar(1.1);
    const Var<double> y = solve(f, y0, tape.scalar(0.0), t1, options).y;
    constexpr double h = 1e-5;
    CHECK(gradient_values(y, {t1})[0].item() ==
          doctest::Approx((end(1.1 + h) - end(1.1 - h)) / (2 * h)).epsilon(1e-8));
  }
}

}  // namespace
}  // namespace fjord::ode
