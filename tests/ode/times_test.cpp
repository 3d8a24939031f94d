/// The times at which a solve asks its field, and that the state goes with them.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::solve_adjoint;
using test::solve_values;

using test::tolerances;

/// The times at which a field y' = 1 was asked.
template <class T>
struct Asked {
  double earliest = std::numeric_limits<double>::infinity();
  double latest = -std::numeric_limits<double>::infinity();
  double last = 0;

  Field<T> field() {
    return [this](const Var<T>& t, const Var<T>& y) {
      last = static_cast<double>(t.item());
      earliest = std::min(earliest, last);
      latest = std::max(latest, last);
      return y * T(0) + T(1);
    };
  }
};

/// Every way to solve from t0 to t1.
enum class Way { times, variables, values, adjoint };

template <class T>
Report solve_in(Way way, const Field<T>& f, const Var<T>& y0, TimeSpan span,
                const SolveOptions& options) {
  const auto time = [&](double t) { return y0.tape().scalar(static_cast<T>(t)); };
  switch (way) {
    case Way::times: return solve(f, y0, span, options).report;
    case Way::variables: return solve(f, y0, time(span.t0), time(span.t1), options).report;
    case Way::values: return solve_values(f, y0, span, options).report;
    default: return solve_adjoint<T>(f, y0, time(span.t0), time(span.t1), {options}).report;
  }
}

TEST_CASE_TEMPLATE("times: the field is asked at both ends and never outside of the span", T, float,
                   double) {
  Tape<T> tape;
  std::size_t outside = 0;
  std::size_t elsewhere = 0;
  std::size_t spans = 0;
  for (int i = -30; i <= 30; ++i) {
    for (int j = -30; j <= 30; ++j) {
      if (i == j) continue;
      const TimeSpan span{i * 0.1, j * 0.1};
      for (const Way way : {Way::times, Way::variables, Way::values, Way::adjoint}) {
        for (const std::optional<double> first : {std::optional<double>(), {0.7}}) {
          tape.clear();
          SolveOptions options;
          options.first_step = first;
          Asked<T> asked;
          REQUIRE(solve_in<T>(way, asked.field(), tape.scalar(T(0)), span, options).status ==
                  Status::success);
          const auto a = static_cast<double>(static_cast<T>(span.t0));
          const auto b = static_cast<double>(static_cast<T>(span.t1));
          ++spans;
          outside += asked.earliest < std::min(a, b) || asked.latest > std::max(a, b);
          elsewhere +=
              asked.earliest != std::min(a, b) || asked.latest != std::max(a, b) || asked.last != b;
        }
      }
    }
  }
  CHECK(spans == 3660 * 8);
  CHECK(outside == 0);
  CHECK(elsewhere == 0);
}

TEST_CASE_TEMPLATE("times: derivatives in both ends, where the steps between are constants", T,
                   float, double) {
  // y' = -y cos t: y = y0 exp(sin t0 - sin t1).
  for (const TimeSpan& span :
       {TimeSpan{0.3, 2.9}, TimeSpan{2.9, 0.3}, TimeSpan{-3.0, 0.1}, TimeSpan{0.7, 0.7}}) {
    CAPTURE(span.t0);
    Tape<T> tape;
    const Vars<T> inputs{tape.scalar(T(1.5)), tape.scalar(static_cast<T>(span.t0)),
                         tape.scalar(static_cast<T>(span.t1))};
    const Field<T> f = [](const Var<T>& t, const Var<T>& y) { return -y * cos(t); };
    const double tolerance = std::is_same_v<T, double> ? 1e-10 : 1e-5;
    const Var<T> y = solve(f, inputs[0], inputs[1], inputs[2], tolerances(tolerance, tolerance)).y;
    const double end = 1.5 * std::exp(std::sin(span.t0) - std::sin(span.t1));
    CHECK(static_cast<double>(y.item()) == doctest::Approx(end).epsilon(100 * tolerance));
    const std::vector<double> exact{end / 1.5, end * std::cos(span.t0), -end * std::cos(span.t1)};
    const auto swept = gradient_values<T>(y, inputs);
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      CHECK(static_cast<double>(swept[i].item()) ==
            doctest::Approx(exact[i]).epsilon(100 * tolerance));
      const Var<T> pushed = pushforward(inputs[i], tape.scalar(T(1)), y);
      CHECK(static_cast<double>(pushed.item()) ==
            doctest::Approx(exact[i]).epsilon(100 * tolerance));
    }
  }
}

TEST_CASE("times: state and time stay together where times are rounded") {
  // y' = 1 + cos(t - t0) / 2: times near 1.7e9 are multiples of 2.4e-7.
  constexpr double t0 = 1.7e9;
  for (const double length : {1.0, 10.0, -10.0}) {
    CAPTURE(length);
    Tape<double> tape;
    const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
      return y * 0.0 + cos(t - t0) * 0.5 + 1.0;
    };
    SolveOptions options = tolerances(1e-12, 1e-12);
    options.max_steps = 1'000'000;
    const Solution<double> s = solve_values(f, tape.scalar(0.0), {t0, t0 + length}, options);
    CAPTURE(s.report.message());
    REQUIRE(s.report.status == Status::success);
    CHECK(std::abs(s.y.item() - length - std::sin(length) / 2) < 1e-8);
  }
}

TEST_CASE("times: first steps that are short beside the span, or beside the time, are taken") {
  struct Case {
    const char* name;
    Field<double> f;
    double y0;
    TimeSpan span;
    double exact;
  };

  const auto slow = [](const Var<double>&, const Var<double>& y) { return y * -1e-12; };
  const auto steady = [](const Var<double>&, const Var<double>& y) { return y * 0.0 + 1.0; };
  // y = 1 / (1 + 1e6 t): as fast as 1e-6 at first.
  const auto slowing = [](const Var<double>& t, const Var<double>& y) {
    return y * -1e6 / (t * 1e6 + 1.0);
  };
  for (const Case& c : {Case{"decay over 1e12", slow, 1, {0, 1e12}, std::exp(-1.0)},
                        Case{"the same in the past", slow, 1, {0, -1e12}, std::exp(1.0)},
                        Case{"slope 1 from 1.7e12", steady, 0, {1.7e12, 1.7e12 + 1000}, 1000},
                        Case{"to earlier times", steady, 0, {1.7e12 + 1000, 1.7e12}, -1000},
                        Case{"a few gaps", steady, 0, {1, 1 + 1e-15}, 5 * 0x1p-52},
                        Case{"slowing down", slowing, 1, {0, 1e10}, 1e-16}}) {
    CAPTURE(std::string(c.name));
    for (const std::optional<double> first : {std::optional<double>(), {1e-6}}) {
      Tape<double> tape;
      SolveOptions options = tolerances(1e-6, 1e-20);
      options.first_step = first;
      const Solution<double> s = solve(c.f, tape.scalar(c.y0), c.span, options);
      CAPTURE(s.report.message());
      CHECK(s.report.status == Status::success);
      CHECK(s.y.item() == doctest::Approx(c.exact).epsilon(1e-4));
      CHECK(s.report.evaluations < 1500);
    }
  }
}

TEST_CASE("times: a step vanishes only at the gap between numbers, after a rejection") {
  // At a pole the steps end within some gaps of it, wherever it lies.
  for (const double pole : {0.7, 1e6, 1e-9}) {
    CAPTURE(pole);
    Tape<double> tape;
    const Field<double> f = [](const Var<double>&, const Var<double>& y) { return square(y); };
    const Report r =
        solve(f, tape.scalar(1 / pole), {0, 2 * pole}, tolerances(1e-6, 1e-6 / pole)).report;
    CAPTURE(r.message());
    CHECK((r.status == Status::step_too_small || r.status == Status::non_finite));
    CHECK(r.rejected > 0);
    CHECK(std::abs(r.t - pole) < 1e-6 * pole);
  }
}

}  // namespace
}  // namespace fjord::ode
