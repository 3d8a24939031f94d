/// Every method, in both scalars, on problems whose solutions are known.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/ode/known_problems.hpp"
#include "fjord/tests/support/solves.hpp"

namespace fjord::ode {
namespace {

using test::solve_values;

template <class T>
constexpr bool is_double = std::is_same_v<T, double>;

/// All but those for mechanics, which want positions and velocities: see methods_test.
std::vector<const Method*> general_methods() {
  std::vector<const Method*> found;
  for (const Method* method : methods()) {
    if (dynamic_cast<const SplitMethod*>(method) == nullptr) found.push_back(method);
  }
  return found;
}

/// Whether it is unstable where solutions decay.
bool is_reversible(const Method& method) {
  return method.name().starts_with("reversible");
}

/// A way to solve a problem of moderate slopes over a few units of time, and the error to expect.
struct Effort {
  SolveOptions options;
  double error;
};

template <class T>
Effort effort_of(const Method& method) {
  const int order = method.order();
  Effort effort;
  effort.options.method = &method;
  effort.options.max_steps = 1'000'000;
  if (method.error_order() > 0) {
    const double tolerance = !is_double<T> ? 1e-6 : order <= 3 ? 1e-7 : 1e-9;
    effort.options.rtol = effort.options.atol = tolerance;
    effort.error = 1e4 * tolerance;
  } else {
    effort.options.fixed_step = order == 1 ? 1.0 / 1024 : 1.0 / 256;
    effort.error = order == 1 ? 2e-2 : order == 2 ? 1e-3 : is_double<T> ? 1e-6 : 2e-4;
  }
  return effort;
}

TEST_CASE_TEMPLATE("every method: known problems forward and backward", T, float, double) {
  Tape<T> tape;
  for (const test::KnownProblem<T>& problem : test::known_problems(tape)) {
    for (const Method* method : general_methods()) {
      for (const TimeSpan span : {TimeSpan{1, 8}, TimeSpan{8, 1}}) {
        CAPTURE(std::string(problem.name));
        CAPTURE(method->name());
        CAPTURE(span.t0);
        // From 8 to 1 it decays by a factor of a thousand.
        if (is_reversible(*method) && problem.name == std::string("sine") && span.t0 == 8) continue;
        const std::vector<double> start = problem.exact(span.t0);
        const auto size = static_cast<Index>(start.size());
        const Tensor<double> y0 =
            Tensor<double>::from(size == 1 ? Shape{1} : Shape{1, size}, start);
        SolveOptions options = effort_of<T>(*method).options;
        options.rtol = 1e-7;
        options.atol = 1e-9;
        const Solution<T> s = solve_values<T>(problem.f, tape.input(y0.as<T>()), span, options);
        CHECK(s.report.status == Status::success);
        const double bound = method->order() == 1 ? 100 * problem.bound : problem.bound;
        CHECK(test::worst_relative_error(s.y, problem.exact(span.t1)) < bound);
      }
    }
  }
}

TEST_CASE_TEMPLATE("every method: Riccati's equation and its derivative in the initial value", T,
                   float, double) {
  for (const Method* method : general_methods()) {
    CAPTURE(method->name());
    Tape<T> tape;
    const Field<T> f = [](const Var<T>& t, const Var<T>& y) { return square(y - t) + T(1); };
    const Var<T> y0 = tape.scalar(T(0.5));
    const Effort effort = effort_of<T>(*method);
    const Solution<T> s = solve(f, y0, {0, 1}, effort.options);
    CHECK(s.report.status == Status::success);
    CHECK(std::abs(static_cast<double>(s.y.item()) - 2) < effort.error);
    const T slope = gradient_values<T>(s.y, std::vector{y0})[0].item();
    CHECK(std::abs(static_cast<double>(slope) - 4) < effort.error);
  }
}

TEST_CASE_TEMPLATE("every method: the gradient through a linear system is that of its exponential",
                   T, float, double) {
  // Column sums of expm of minus {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, by mpmath.
  const std::vector<double> exact{0.72983620107177223, 0.19799474220244331, -0.33384671666688561};
  for (const Method* method : general_methods()) {
    if (is_reversible(*method)) continue;
    CAPTURE(method->name());
    Tape<T> tape;
    const Field<T> f =
        test::linear_field(tape, Tensor<double>{{-1, -2, -3}, {-4, -5, -6}, {-7, -8, -9}});
    const Var<T> y0 = tape.input(Tensor<T>{{1, 1, 1}});
    const Effort effort = effort_of<T>(*method);
    const Solution<T> s = solve(f, y0, {0, 1}, effort.options);
    CHECK(s.report.status == Status::success);
    const TensorView<T> g = gradient_values<T>(sum(s.y), std::vector{y0})[0];
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(std::abs(static_cast<double>(g(0, static_cast<Index>(k))) - exact[k]) < effort.error);
  }
}

TEST_CASE_TEMPLATE("every method: the cubic spiral", T, float, double) {
  // By scipy's DOP853 and Radau at rtol 1e-13, which agree to 2e-13.
  const std::vector<double> exact{-0.4436234866987, 0.2794406416189};
  for (const Method* method : general_methods()) {
    CAPTURE(method->name());
    Tape<T> tape;
    const Field<T> linear = test::linear_field(tape, Tensor<double>{{-.1, -2}, {2, -.1}});
    const Field<T> f = [&](const Var<T>& t, const Var<T>& y) { return linear(t, square(y) * y); };
    SolveOptions options = effort_of<T>(*method).options;
    options.rtol = options.atol = 1e-6;
    if (options.fixed_step) *options.fixed_step /= 2;
    const Solution<T> s = solve_values<T>(f, tape.input(Tensor<T>{{2, 0}}), {0, 25}, options);
    CHECK(s.report.status == Status::success);
    const double bound = method->order() == 1 ? 0.2 : method->order() == 2 ? 5e-3 : 1e-3;
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(std::abs(static_cast<double>(s.y.value()(0, static_cast<Index>(i))) - exact[i]) <
            bound);
  }
}

/// The slope of log error over log number of steps, less its sign, by least squares.
double slope_of(std::span<const double> steps, std::span<const double> errors) {
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    mean_x += std::log(steps[i]) / static_cast<double>(steps.size());
    mean_y += std::log(errors[i]) / static_cast<double>(steps.size());
  }
  double products = 0;
  double squares = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double x = std::log(steps[i]) - mean_x;
    products -= x * (std::log(errors[i]) - mean_y);
    squares += x * x;
  }
  return products / squares;
}

/// Whether the table all but fulfils the condition of the next order for the tallest tree, the one
/// that counts in a linear system: b A^p 1 = 1 / (p + 1)!. The next term of the error is then the
/// larger one.
bool is_better_on_linear_systems(const Method& method) {
  const auto* explicit_method = dynamic_cast<const ExplicitRungeKutta*>(&method);
  if (explicit_method == nullptr) return false;
  const Tableau& table = explicit_method->tableau();
  std::vector<double> powers(table.stages(), 1.0);
  for (int k = 0; k < table.order; ++k) {
    for (std::size_t i = table.stages(); i-- > 0;) {
      double sum = 0;
      for (std::size_t j = 0; j < i; ++j) sum += table.row(i)[j] * powers[j];
      powers[i] = sum;
    }
  }
  double sum = 0;
  for (std::size_t i = 0; i < table.stages(); ++i) sum += table.b[i] * powers[i];
  return std::abs(sum * std::tgamma(table.order + 2) - 1) < 0.05;
}

// Numbers of steps grow until the error is below 2^-28, in single precision 1e-5, or there are 2^14
// of them; the last octave counts. In single precision only the low orders have one, and those
// of order 8 or more need errors down to 2^-40.
TEST_CASE_TEMPLATE("every method: shorter steps show the order on a linear system", T, float,
                   double) {
  const Tensor<double> a = test::normals({10, 10}, 1, 0.5);
  const std::vector<double> exact = test::exponential_times(a, 4, std::vector<double>(10, 1.0));
  for (const Method* method : general_methods()) {
    if (!is_double<T> && method->order() > 3) continue;
    CAPTURE(method->name());
    const double least = !is_double<T> ? 1e-5 : std::pow(2, method->order() > 7 ? -40 : -28);
    std::vector<double> steps;
    std::vector<double> errors;
    for (double count = 4; count <= 16384; count = std::ceil(count * 1.19)) {
      Tape<T> tape;
      SolveOptions options;
      options.method = method;
      options.max_steps = 20'000;
      options.fixed_step = 4 / count;
      const Var<T> y0 = tape.input(Tensor<T>::ones({1, 10}));
      const Solution<T> s = solve_values<T>(test::linear_field(tape, a), y0, {0, 4}, options);
      double error = 0;
      double size = 0;
      for (std::size_t i = 0; i < 10; ++i) {
        const auto entry = static_cast<double>(s.y.value()(0, static_cast<Index>(i)));
        error = std::max(error, std::abs(entry - exact[i]));
        size = std::max(size, std::abs(exact[i]));
      }
      if (error / size < least) break;
      steps.push_back(count);
      errors.push_back(error / size);
    }
    const auto octave = static_cast<std::size_t>(
        std::ranges::count_if(steps, [&](double count) { return count >= steps.back() / 2; }));
    REQUIRE(octave >= 4);
    const double excess =
        slope_of(std::span(steps).last(octave), std::span(errors).last(octave)) - method->order();
    CHECK(excess > -0.5);
    CHECK(excess < (is_better_on_linear_systems(*method) ? 1.5 : 0.5));
  }
}

TEST_CASE_TEMPLATE("every method: a field that becomes NaN ends a solve where it does", T, float,
                   double) {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    Tape<T> tape;
    const Field<T> f = [](const Var<T>& t, const Var<T>& y) {
      return t.item() > T(0.5) ? y * std::numeric_limits<T>::quiet_NaN() : -y;
    };
    SolveOptions options = effort_of<T>(*method).options;
    const Report r = solve_values<T>(f, tape.input(Tensor<T>{1, 1}), {0, 1}, options).report;
    CAPTURE(r.message());
    CHECK(r.status == Status::non_finite);
    CHECK(std::abs(r.t - 0.5) < 2e-3 + options.fixed_step.value_or(0));
    CHECK(r.message().find("check its inputs") != std::string::npos);
  }
}

TEST_CASE_TEMPLATE("every method: a solution that blows up ends a solve that controls its steps", T,
                   float, double) {
  for (const Method* method : methods()) {
    if (method->error_order() == 0) continue;
    CAPTURE(method->name());
    Tape<T> tape;
    const Field<T> f = [](const Var<T>&, const Var<T>& y) { return square(y); };
    const Report r =
        solve_values<T>(f, tape.scalar(T(1 / 0.7)), {0, 1}, effort_of<T>(*method).options).report;
    CAPTURE(r.message());
    CHECK(r.status != Status::success);
    CHECK(std::abs(r.t - 0.7) < 1e-3);
    CHECK_FALSE(r.remedy().empty());
  }
}

TEST_CASE_TEMPLATE("every method: a field that jumps is crossed", T, float, double) {
  for (const Method* method : general_methods()) {
    CAPTURE(method->name());
    Tape<T> tape;
    const Field<T> f = [](const Var<T>& t, const Var<T>& y) {
      return y * T(0) + (t.item() < T(0.5) ? T(1) : T(-1));
    };
    const SolveOptions options = effort_of<T>(*method).options;
    const Solution<T> s = solve_values<T>(f, tape.scalar(T(0)), {0, 0.9}, options);
    CHECK(s.report.status == Status::success);
    // Not to the tolerance: a jump that lies between two stages may escape the estimate.
    CHECK(std::abs(static_cast<double>(s.y.item()) - 0.1) < 1e-2);
  }
}

}  // namespace
}  // namespace fjord::ode
