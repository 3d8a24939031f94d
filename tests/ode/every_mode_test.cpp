/// Every gradient mode, in both scalars, on problems whose derivatives are known.
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

const Checkpointed three_snapshots(3);

/// With the tolerances of the solve for the second one, too.
SolveOptions by(const GradientMode& mode, double rtol, double atol) {
  SolveOptions options = test::tolerances(rtol, atol);
  options.gradient = &mode;
  return options;
}

template <class Body>
void for_each_mode(double rtol, double atol, Body body) {
  const Backsolve back({.backward = test::tolerances(rtol, atol)});
  for (const GradientMode* mode :
       {static_cast<const GradientMode*>(&direct), static_cast<const GradientMode*>(&checkpointed),
        static_cast<const GradientMode*>(&three_snapshots),
        static_cast<const GradientMode*>(&back)}) {
    CAPTURE(mode->name());
    body(by(*mode, rtol, atol));
  }
}

TEST_CASE_TEMPLATE("every mode: the derivatives of 256 decays", T, float, double) {
  constexpr double alpha = 0.7;
  const double exact = std::exp(-3 * alpha);
  // Per state; sums of 256 in single precision round off more.
  const double bound = std::is_same_v<T, double> ? 1e-6 : 3e-6;
  for_each_mode(1e-6, 1e-7, [&](const SolveOptions& options) {
    Tape<T> tape;
    const Var<T> y0 = tape.input(Tensor<T>::ones({256}));
    const Var<T> t0 = tape.scalar(T(0));
    const Var<T> t1 = tape.scalar(T(3));
    const Var<T> rate = tape.scalar(T(alpha));
    const Field<T> f = [rate](const Var<T>&, const Var<T>& y) { return -(y * rate); };
    const Var<T> y = sum(solve(f, y0, t0, t1, options).y);
    const auto check = [&](T found, double expected) {
      CHECK(std::abs(static_cast<double>(found) - expected) < bound);
    };
    check(y.item() / T(256), exact);
    const auto g = gradient_values<T>(y, std::vector{y0, t0, t1, rate});
    for (Index i = 0; i < 256; ++i) check(g[0](i), exact);
    check(g[1].item() / T(256), alpha * exact);
    check(g[2].item() / T(256), -alpha * exact);
    check(g[3].item() / T(256), -3 * exact);
  });
}

TEST_CASE_TEMPLATE("every mode: the derivatives of a spiral from 0.3 to 9.5", T, float, double) {
  // y' = y A, A = {{-0.1, -1}, {1, -0.1}}: y turns by the angle t and shrinks by exp(-0.1 t).
  constexpr double t = 9.2;
  const double shrunk = std::exp(-0.1 * t);
  const double c = shrunk * std::cos(t);
  const double s = shrunk * std::sin(t);
  const double end0 = 0.9 * c + 5.4 * s;
  const double end1 = 5.4 * c - 0.9 * s;
  // Of the sum of both entries: a change of the diagonal is one of the shrinking.
  const double in_t1 = -0.1 * (end0 + end1) - end0 + end1;
  const double tolerance = std::is_same_v<T, double> ? 1e-8 : 1e-6;
  const double bound = std::is_same_v<T, double> ? 1e-5 : 2e-4;
  for_each_mode(tolerance, tolerance, [&](const SolveOptions& options) {
    Tape<T> tape;
    const Var<T> y0 = tape.input(Tensor<double>{{0.9, 5.4}}.as<T>());
    const Var<T> t0 = tape.scalar(T(0.3));
    const Var<T> t1 = tape.scalar(T(9.5));
    const Var<T> a = tape.input(Tensor<double>{{-0.1, -1.0}, {1.0, -0.1}}.as<T>());
    const Field<T> f = [a](const Var<T>&, const Var<T>& y) { return matmul(y, a); };
    const Var<T> y = solve(f, y0, t0, t1, options).y;
    const auto check = [&](T found, double expected) {
      CHECK(std::abs(static_cast<double>(found) - expected) < bound);
    };
    check(y.value()(0, 0), end0);
    check(y.value()(0, 1), end1);
    const auto g = gradient_values<T>(sum(y), std::vector{y0, t0, t1, a});
    check(g[0](0, 0), c - s);
    check(g[0](0, 1), c + s);
    check(g[1].item(), -in_t1);
    check(g[2].item(), in_t1);
    check(g[3](0, 0) + g[3](1, 1), t * (end0 + end1));
    check(g[3](1, 0) - g[3](0, 1), t * (end1 - end0));
  });
}

TEST_CASE_TEMPLATE("every mode: Riccati's equation", T, float, double) {
  const double bound = std::is_same_v<T, double> ? 1e-6 : 2e-3;
  const double tolerance = std::is_same_v<T, double> ? 1e-10 : 1e-6;
  for_each_mode(tolerance, tolerance, [&](const SolveOptions& options) {
    Tape<T> tape;
    const Field<T> f = [](const Var<T>& t, const Var<T>& y) { return square(y - t) + T(1); };
    const Var<T> y0 = tape.scalar(T(0.5));
    const Var<T> y = solve(f, y0, {0, 1}, options).y;
    CHECK(std::abs(static_cast<double>(y.item()) - 2) < bound);
    const T slope = gradient_values<T>(y, std::vector{y0})[0].item();
    CHECK(std::abs(static_cast<double>(slope) - 4) < bound);
  });
}

/// The fewest steps that a reversal makes once more, by trying every place for the first snapshot:
/// of so many steps, with so many states kept at a time, that before the first step included.
std::vector<std::vector<std::size_t>> fewest_steps(std::size_t steps, std::size_t states) {
  std::vector fewest(states + 1, std::vector<std::size_t>(steps + 1));
  for (std::size_t s = 1; s <= states; ++s) {
    for (std::size_t n = 2; n <= steps; ++n) {
      // With one state only: from the start to every step but the last.
      fewest[s][n] = n * (n - 1) / 2;
      for (std::size_t m = 1; s > 1 && m < n; ++m)
        fewest[s][n] = std::min(fewest[s][n], m + fewest[s - 1][n - m] + fewest[s][m]);
    }
  }
  return fewest;
}

std::size_t binomial(std::size_t n, std::size_t k) {
  std::size_t result = 1;
  for (std::size_t i = 1; i <= k; ++i) result = result * (n - k + i) / i;
  return result;
}

TEST_CASE("every mode: snapshots are kept where few steps are made once more") {
  constexpr std::size_t most_steps = 200;
  constexpr std::size_t most_states = 8;
  const auto fewest = fewest_steps(most_steps, most_states);
  std::vector made(most_states + 1, std::vector<std::size_t>(most_steps + 1));
  for (std::size_t s = 1; s <= most_states; ++s) {
    std::size_t repeats = 1;
    for (std::size_t n = 2; n <= most_steps; ++n) {
      CAPTURE(s);
      CAPTURE(n);
      // Griewank & Walther (2000), section 2: r n - binomial(s + r, s + 1).
      if (binomial(s + repeats, s) < n) ++repeats;
      CHECK(fewest[s][n] == repeats * n - binomial(s + repeats, s + 1));
      const std::size_t m = first_snapshot(n, s);
      REQUIRE(m >= 1);
      REQUIRE(m < n);
      made[s][n] = m + made[s - 1][n - m] + made[s][m];
      CHECK(made[s][n] == fewest[s][n]);
    }
  }
}

}  // namespace
}  // namespace fjord::ode
