// Prints the times of solves beside those of their references, taken in this run: see bench/run.sh.
#include <algorithm>
#include <array>
#include <boost/numeric/odeint.hpp>
#include <cmath>
#include <cstdio>
#include <vector>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/bench/ode_modes.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/counted_new.hpp"

namespace {

using namespace fjord;
using bench::shortest_seconds;
using State = std::array<double, 3>;

constexpr double sigma = 10;
constexpr double rho = 28;
constexpr double beta = 8.0 / 3;
constexpr State start{1, 1, 1};
constexpr int runs = 60;

void lorenz(const State& y, State& dydt) {
  dydt = {sigma * (y[1] - y[0]), y[0] * (rho - y[2]) - y[1], y[0] * y[1] - beta * y[2]};
}

const ode::PlainField plain_lorenz = [](double, std::span<const double, 3> y,
                                        std::span<double, 3> dydt) {
  dydt[0] = sigma * (y[1] - y[0]);
  dydt[1] = y[0] * (rho - y[2]) - y[1];
  dydt[2] = y[0] * y[1] - beta * y[2];
};

ode::SolveOptions tolerances(double tolerance) {
  ode::SolveOptions options;
  options.rtol = options.atol = tolerance;
  options.max_steps = 1'000'000;
  return options;
}

double error(const State& a, const State& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

State simulated(double t1, double tolerance) {
  const ode::Simulation s = ode::simulate(plain_lorenz, start, {0, t1}, tolerances(tolerance));
  return {s.y[0], s.y[1], s.y[2]};
}

State by_boost(double t1, double tolerance, std::size_t* steps = nullptr) {
  namespace odeint = boost::numeric::odeint;
  State y = start;
  const auto f = [](const State& at, State& dydt, double) { lorenz(at, dydt); };
  const std::size_t count = odeint::integrate_adaptive(
      odeint::make_controlled<odeint::runge_kutta_dopri5<State>>(tolerance, tolerance), f, y, 0.0,
      t1, 1e-3);
  if (steps != nullptr) *steps = count;
  return y;
}

// Boost's tolerance for the error of ours at the end of a span on which chaos has not taken over.
double equal_tolerance(double tolerance) {
  constexpr double t1 = 10;
  const State exact = simulated(t1, 1e-13);
  const double ours = error(simulated(t1, tolerance), exact);
  double best = tolerance;
  double distance = 1e300;
  for (double exponent = -10.5; exponent < -6; exponent += 0.02) {
    const double candidate = std::pow(10.0, exponent);
    const double off = std::abs(std::log(error(by_boost(t1, candidate), exact) / ours));
    if (off < distance) {
      distance = off;
      best = candidate;
    }
  }
  return best;
}

// Dormand-Prince on three numbers, with the steps given.
State by_hand(const std::vector<double>& times) {
  const ode::Tableau& m = ode::dormand_prince.tableau();
  State y = start;
  std::array<State, 7> k;
  lorenz(y, k[0]);
  for (std::size_t n = 1; n < times.size(); ++n) {
    const double h = times[n] - times[n - 1];
    State at{};
    const double* a = m.a.data();
    for (std::size_t i = 1; i < 7; ++i) {
      for (std::size_t d = 0; d < 3; ++d) {
        double sum = 0;
        for (std::size_t j = 0; j < i; ++j) sum += a[j] * k[j][d];
        at[d] = y[d] + h * sum;
      }
      a += i;
      lorenz(at, k[i]);
    }
    double norm = 0;
    for (std::size_t d = 0; d < 3; ++d) {
      double e = 0;
      for (std::size_t j = 0; j < 7; ++j) e += m.error[j] * k[j][d];
      const double ratio = h * e / (1e-8 + 1e-8 * std::max(std::abs(y[d]), std::abs(at[d])));
      norm += ratio * ratio;
    }
    // The factor of the next step, which here is known.
    volatile double factor = 0.9 * std::pow(std::sqrt(norm / 3), -0.2);
    static_cast<void>(factor);
    y = at;
    k[0] = k[6];
  }
  return y;
}

void compare_lorenz() {
  constexpr double t1 = 100;
  constexpr double tolerance = 1e-8;
  const double boost_tolerance = equal_tolerance(tolerance);
  ode::SolveOptions options = tolerances(tolerance);
  options.save_steps = true;
  const std::vector<double> times = ode::simulate(plain_lorenz, start, {0, t1}, options).times;
  std::size_t boost_steps = 0;
  by_boost(t1, boost_tolerance, &boost_steps);
  double ours = 1e300;
  double boost = 1e300;
  double hand = 1e300;
  volatile double sink = 0;
  // By turns, as a shared machine has slow and fast seconds.
  for (int i = 0; i < runs; ++i) {
    ours = std::min(ours, shortest_seconds(3, [&] { sink = simulated(t1, tolerance)[0]; }));
    boost = std::min(boost, shortest_seconds(3, [&] { sink = by_boost(t1, boost_tolerance)[0]; }));
    hand = std::min(hand, shortest_seconds(3, [&] { sink = by_hand(times)[0]; }));
  }
  std::printf("Lorenz, t 0..100, on plain memory: %.3f ms, %zu steps\n", ours * 1e3,
              times.size() - 1);
  std::printf("  Boost.odeint, tolerance %.1e:   %.3f ms, %zu steps; ratio %.2f\n", boost_tolerance,
              boost * 1e3, boost_steps, ours / boost);
  std::printf("  by hand, the same steps:         %.3f ms; ratio %.2f\n", hand * 1e3, ours / hand);
}

// How many more a long run takes from the heap than a short one.
template <class F>
void print_allocations(const char* what, F run) {
  const auto count = [&](double t1) {
    const std::size_t before = test::allocations();
    run(t1);
    return test::allocations() - before;
  };
  run(10);  // memory that a tape keeps
  const std::size_t few = count(5);
  std::printf("  allocations of t 0..10 beyond those of t 0..5, %s: %zu\n", what, count(10) - few);
}

void compare_recorded_operations() {
  Tape<double> tape;
  const auto solved = [&](double t1) {
    tape.clear();
    const Vars<double> inputs{tape.input(Tensor<double>{sigma}), tape.input(Tensor<double>{rho}),
                              tape.input(Tensor<double>{beta}),
                              tape.input(Tensor<double>{1, 1, 1})};
    const auto f = [&](const Var<double>&, const Var<double>& y) {
      const Var<double> a = slice(y, 0, 0, 1);
      const Var<double> b = slice(y, 0, 1, 2);
      const Var<double> c = slice(y, 0, 2, 3);
      return concatenate<double>(
          {inputs[0] * (b - a), a * (inputs[1] - c) - b, a * b - inputs[2] * c}, 0);
    };
    const ode::Field<double> field = f;
    const Var<double> y = ode::solve(field, inputs[3], {0, t1}, tolerances(1e-8)).y;
    gradient_values<double>(y[0], inputs);
    return tape.size();
  };
  const std::size_t nodes = solved(10);
  constexpr int count = 100'000;
  const auto bare = [&] {
    tape.clear();
    const Var<double> x = tape.scalar(0.999);
    Var<double> y = tape.scalar(1.0);
    for (int i = 0; i < count; ++i) y = y * x;
    gradient_values<double>(y, std::span(&x, 1));
  };
  double solve_seconds = 1e300;
  double bare_seconds = 1e300;
  for (int i = 0; i < runs; ++i) {
    solve_seconds = std::min(solve_seconds, shortest_seconds(1, [&] { solved(10); }));
    bare_seconds = std::min(bare_seconds, shortest_seconds(1, bare));
  }
  const double each = solve_seconds / static_cast<double>(nodes);
  const double bare_each = bare_seconds / count;
  std::printf("Lorenz, t 0..10, with its gradient: %.1f ns for each of %zu operations\n",
              each * 1e9, nodes);
  std::printf("  a bare operation and its sweep:   %.1f ns; ratio %.2f\n", bare_each * 1e9,
              each / bare_each);
  print_allocations("on plain memory", [](double t1) { simulated(t1, 1e-8); });
  print_allocations("with the gradient", solved);
}

}  // namespace

int main() {
  compare_lorenz();
  compare_recorded_operations();
  bench::compare_training_steps();
  bench::compare_separate_rows();
  bench::compare_memory();
}
