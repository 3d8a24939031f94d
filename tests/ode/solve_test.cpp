#include "fjord/ode/solve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/tests/support/solves.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::solve_values;

using test::tolerances;

const SolveOptions tight = tolerances(1e-11, 1e-11);

Var<double> decay(const Var<double>&, const Var<double>& y) {
  return -y;
}

TEST_CASE("solve: a solve without a way to go, and one without entries, leave the state as it is") {
  Tape<double> tape;
  const Solution<double> nowhere = solve<double>(decay, tape.scalar(2.5), {0.7, 0.7});
  CHECK(nowhere.y.item() == 2.5);
  CHECK(nowhere.report.evaluations == 0);
  const Solution<double> empty =
      solve<double>(decay, tape.input(Tensor<double>::zeros({0, 3})), {0, 1});
  CHECK(empty.report.status == Status::success);
  CHECK(empty.y.shape() == Shape{0, 3});
}

TEST_CASE("solve: evaluations are counted, steps land on t1, and rejected steps leave no node") {
  for (const std::optional<double> first : {std::optional<double>(), {0.01}, {6.0}}) {
    Tape<double> tape;
    std::size_t calls = 0;
    const Field<double> f = [&](const Var<double>& t, const Var<double>& y) {
      ++calls;
      return y * cos(t * 3.0);
    };
    SolveOptions options = tolerances(1e-7, 1e-7);
    options.first_step = first;
    const Var<double> y0 = tape.scalar(1.0);
    const std::size_t before = tape.size();
    const Report r = solve(f, y0, {0.1, 7.3}, options).report;
    CHECK(r.t == 7.3);
    CHECK(r.evaluations == calls);
    CHECK(r.evaluations == (first ? 1 : 2) + 6 * (r.accepted + r.rejected));
    if (first == 6.0) CHECK(r.rejected > 0);
    // Time, product, cosine, slope; each step has its length, and six stages of one combination
    // more.
    CHECK(tape.size() - before == 4 + r.accepted * (1 + 6 * 5));
  }
}

TEST_CASE_TEMPLATE("solve: values alone have the same bits, in memory that does not grow", T, float,
                   double) {
  Tape<T> tape;
  const Field<T> f = [](const Var<T>& t, const Var<T>& y) { return sin(y * T(4)) + cos(t); };
  const Var<T> y0 = tape.input(Tensor<T>{{0.3F, -1, 2}, {1, 1.5F, 0}});
  const Tensor<T> alone(solve_values(f, y0, {0.2, 3}).y.value());
  const std::size_t capacity = tape.capacity();
  CHECK(solve_values(f, y0, {0.2, 300}).report.accepted > 300);
  CHECK(tape.capacity() == capacity);
  CHECK(alone == Tensor<T>(solve(f, y0, {0.2, 3}).y.value()));
}

TEST_CASE("solve: trouble ends with a status, a time and a remedy") {
  struct Case {
    const char* name;
    Field<double> f;
    double y0, t, within;
    std::vector<Status> statuses;
    const char* remedy;
  };

  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto breaks = [nan](const Var<double>& t, const Var<double>& y) {
    return t.item() > 0.5 ? y * nan : -y;
  };
  const auto jumps = [](const Var<double>& t, const Var<double>& y) {
    return y * 0.0 + (t.item() < 0.5 ? 1 : -1);
  };
  const auto blows_up = [](const Var<double>&, const Var<double>& y) { return square(y); };
  const auto is_nan = [nan](const Var<double>&, const Var<double>& y) { return y * nan; };
  const auto spins = [](const Var<double>& t, const Var<double>&) { return cos(t * 1e7); };
  for (const Case& c :
       {Case{"NaN after 0.5", breaks, 1, 0.5, 1e-6, {Status::non_finite}, "check its inputs"},
        Case{"NaN at once", is_nan, 1, 0, 0, {Status::non_finite}, "check its inputs"},
        Case{"blow-up",
             blows_up,
             1 / 0.7,
             0.7,
             1e-6,
             {Status::step_too_small, Status::non_finite},
             "check"},
        Case{"jump", jumps, 0, 1, 0, {Status::success}, "reached"},
        Case{"fast", spins, 0, 0, 0.9, {Status::max_steps}, "raise max_steps"}}) {
    CAPTURE(c.name);
    Tape<double> tape;
    const Report r = solve(c.f, tape.scalar(c.y0), {0, 1}).report;
    CAPTURE(r.message());
    CHECK(std::ranges::count(c.statuses, r.status) == 1);
    CHECK(std::abs(r.t - c.t) <= c.within);
    CHECK(r.message().find(c.remedy) != std::string::npos);
    CHECK(r.accepted + r.rejected <= SolveOptions().max_steps);
  }
}

TEST_CASE("solve: a state that is not a number ends the solve at once") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double start : {infinity, -infinity, std::nan("")}) {
    Tape<double> tape;
    const Field<double> f = [](const Var<double>& t, const Var<double>&) { return cos(t); };
    const Report r = solve(f, tape.scalar(start), {0, 1}).report;
    CHECK(r.status == Status::non_finite);
    CHECK(r.evaluations == 0);
    CHECK(r.message().find("the state or the field became infinite or NaN at t = 0") !=
          std::string::npos);
  }
}

TEST_CASE("solve: a failed solve gives the last state that it reached") {
  Tape<double> tape;
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    return t.item() > 0.5 ? y * std::nan("") : -y;
  };
  const Var<double> y0 = tape.scalar(1.0);
  for (const Solution<double>& s : {solve(f, y0, {0, 1}), solve_values(f, y0, {0, 1})}) {
    CHECK(s.report.status == Status::non_finite);
    CHECK(s.y.item() == doctest::Approx(std::exp(-s.report.t)).epsilon(1e-5));
  }
}

TEST_CASE("solve: the field is asked for no time outside of the span") {
  for (const TimeSpan span : {TimeSpan{0, 1}, TimeSpan{1, 0}, TimeSpan{-1e-9, 1e-9}}) {
    for (const std::optional<double> first : {std::optional<double>(), {100.0}}) {
      Tape<double> tape;
      double earliest = 1;
      double latest = -1;
      // Flat, so that the rule for the first step would look far ahead.
      const Field<double> f = [&](const Var<double>& t, const Var<double>& y) {
        earliest = std::min(earliest, t.item());
        latest = std::max(latest, t.item());
        return y * 1e-4;
      };
      SolveOptions options;
      options.first_step = first;
      const Report r = solve(f, tape.scalar(1.0), span, options).report;
      CHECK(r.t == span.t1);
      CHECK(earliest == std::min(span.t0, span.t1));
      CHECK(latest == std::max(span.t0, span.t1));
    }
  }
}

TEST_CASE("solve: tolerances that single precision cannot meet end with a remedy") {
  Tape<float> tape;
  const Field<float> f = [](const Var<float>& t, const Var<float>& y) { return sin(y) * cos(t); };
  const Report r = solve(f, tape.scalar(1.0F), {0, 1}, tolerances(0, 1e-30)).report;
  CHECK(r.status == Status::tolerances_too_fine);
  CHECK(r.message().find("loosen rtol and atol, or use double precision") != std::string::npos);
  CHECK_THROWS_WITH_AS(solve(f, tape.scalar(1.0F), {0, 1}, tolerances(1e-3, 1e-50)),
                       doctest::Contains("atol must be positive in the precision"),
                       std::invalid_argument);
}

TEST_CASE("solve: time is double for single states, too") {
  Tape<float> tape;
  const Field<float> f = [](const Var<float>&, const Var<float>& y) { return -y; };
  // Near 1e8 single precision tells times apart only by 8.
  const Solution<float> s = solve(f, tape.scalar(1.0F), {1e8, 1e8 + 1}, tolerances(1e-6, 1e-7));
  CHECK(s.report.t == 1e8 + 1);
  CHECK(static_cast<double>(s.y.item()) == doctest::Approx(std::exp(-1.0)).epsilon(1e-5));
}

TEST_CASE("solve: the limit counts every attempt, and does not stop a solve that needs no more") {
  Tape<double> tape;
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    return y * cos(t * 9.0);
  };
  SolveOptions options = tolerances(1e-9, 1e-9);
  options.first_step = 3.0;
  const Report free = solve(f, tape.scalar(1.0), {0, 3}, options).report;
  const std::size_t needed = free.accepted + free.rejected;
  REQUIRE(free.rejected > 0);
  options.max_steps = needed;
  CHECK(solve(f, tape.scalar(1.0), {0, 3}, options).report.status == Status::success);
  options.max_steps = needed - 1;
  const Report stopped = solve(f, tape.scalar(1.0), {0, 3}, options).report;
  CHECK(stopped.status == Status::max_steps);
  CHECK(stopped.accepted + stopped.rejected == needed - 1);
  CHECK(stopped.t < 3);
  CHECK(stopped.evaluations == 1 + 6 * (needed - 1));
  CHECK(stopped.message().find("raise max_steps") != std::string::npos);
}

TEST_CASE("solve: what the field throws reaches the caller, and the tape can be used again") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(1.0);
  const typename Tape<double>::Mark mark = tape.mark();
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    if (t.item() > 0.5) throw std::runtime_error("outside of the table");
    return -y;
  };
  CHECK_THROWS_WITH_AS(solve(f, y0, {0, 1}), "outside of the table", std::runtime_error);
  CHECK_THROWS_WITH_AS(solve_values(f, y0, {0, 1}), "outside of the table", std::runtime_error);
  tape.rewind(mark);
  const Var<double> y = solve<double>(decay, y0, {0, 1}).y;
  CHECK(gradient_values<double>(y, std::vector{y0})[0].item() ==
        doctest::Approx(std::exp(-1)).epsilon(1e-5));
}

TEST_CASE("solve: a field may return its state, or a node older than the solve") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(2.0);
  const Var<double> w = tape.scalar(0.3);
  const Field<double> state = [](const Var<double>&, const Var<double>& y) { return y; };
  const Field<double> constant = [&](const Var<double>&, const Var<double>&) { return w; };
  const Var<double> grown = solve(state, y0, {0, 1}, tight).y;
  CHECK(grown.item() == doctest::Approx(2 * std::exp(1)).epsilon(1e-9));
  CHECK(solve_values(state, y0, {0, 1}, tight).y.item() == grown.item());
  const Var<double> moved = solve(constant, y0, {0, 1}).y;
  CHECK(moved.item() == doctest::Approx(2.3));
  CHECK(gradient_values<double>(moved, std::vector{w})[0].item() == doctest::Approx(1));
}

TEST_CASE("solve: any function is a field") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(1.0), t0 = tape.scalar(0.0), t1 = tape.scalar(2.0);
  const Var<double> rate = tape.scalar(-0.5);
  const auto f = [&](const Var<double>&, const Var<double>& y) { return rate * y; };
  const auto end = doctest::Approx(std::exp(-1.0));
  CHECK(solve(f, y0, {0, 2}, tight).y.item() == end);
  CHECK(solve(f, y0, t0, t1, tight).y.item() == end);
  CHECK(solve_values(f, y0, {0, 2}, tight).y.item() == end);
  CHECK(solve(decay, y0, {0, 1}, tight).y.item() == end);
  CHECK(solve([](auto, auto y) { return -y; }, y0, {0, 1}, tight).y.item() == end);
}

TEST_CASE("solve: options out of range and fields that change the shape are refused by name") {
  Tape<double> tape;
  const auto message = [&](const Field<double>& f, TimeSpan span, auto change) -> std::string {
    SolveOptions options;
    change(options);
    try {
      solve(f, tape.input(Tensor<double>{1.0, 2.0}), span, options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  const auto refuses = [&](const char* field, auto change) {
    CAPTURE(field);
    CHECK(message(decay, {0, 1}, change).find(field) != std::string::npos);
  };
  refuses("rtol", [](SolveOptions& o) { o.rtol = -1; });
  refuses("rtol", [](SolveOptions& o) { o.rtol = NAN; });
  refuses("atol", [](SolveOptions& o) { o.atol = 0; });
  refuses("first_step", [](SolveOptions& o) { o.first_step = -0.1; });
  refuses("max_steps", [](SolveOptions& o) { o.max_steps = 0; });
  CHECK(message(decay, {0, INFINITY}, [](SolveOptions&) {}).find("t1") != std::string::npos);
  const Field<double> sums = [](const Var<double>&, const Var<double>& y) { return sum(y); };
  CHECK(message(sums, {0, 1}, [](SolveOptions&) {}).find("shape") != std::string::npos);
}

}  // namespace
}  // namespace fjord::ode
