/// How solves end that cannot go on, and what they say.
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::solve_adjoint;
using test::solve_values;

using test::tolerances;

template <class T>
Var<T> decay(const Var<T>&, const Var<T>& y) {
  return -y;
}

TEST_CASE_TEMPLATE("trouble: tolerances finer than numbers are named as such, for any norm", T,
                   float, double) {
  for (const double atol : {1e-30, 1e-37, 1e-200, 1e-300}) {
    if (static_cast<T>(atol) == 0) continue;
    for (const ErrorNorm norm : {ErrorNorm::rms, ErrorNorm::largest_row}) {
      CAPTURE(atol);
      Tape<T> tape;
      SolveOptions options = tolerances(0, atol);
      options.norm = norm;
      const Var<T> y0 = tape.input(Tensor<T>{{T(1), T(2)}, {T(3), T(-1e-3)}});
      const Report r = solve<T>(decay<T>, y0, {0, 1}, options).report;
      CAPTURE(r.message());
      CHECK(r.status == Status::tolerances_too_fine);
      CHECK(r.accepted + r.rejected == 0);
      CHECK(r.message().find("the tolerances are too fine at t = ") != std::string::npos);
    }
  }
}

TEST_CASE("trouble: tolerances of an ulp or so are tried") {
  Tape<double> tape;
  const Solution<double> s =
      solve<double>(decay<double>, tape.scalar(1.0), {0, 1}, tolerances(4e-16, 4e-16));
  CHECK(s.report.status == Status::success);
  CHECK(s.y.item() == doctest::Approx(std::exp(-1)).epsilon(1e-14));
  // Below a quarter of the state's rounding, 5.6e-17 of a state of 1, none is kept: also where the
  // field is so smooth that no error is seen.
  const Field<double> still = [](const Var<double>&, const Var<double>& y) { return y * 0.0; };
  for (const auto& [rtol, status] :
       {std::pair(5e-17, Status::tolerances_too_fine), std::pair(6e-17, Status::success)})
    CHECK(solve(still, tape.scalar(1.0), {0, 1}, tolerances(rtol, 1e-200)).report.status == status);
  Tape<float> single;
  CHECK(solve<float>(decay<float>, single.scalar(1.0F), {0, 1}, tolerances(1e-9, 1e-9))
            .report.status == Status::tolerances_too_fine);
}

TEST_CASE_TEMPLATE("trouble: large states and errors are not infinities", T, float, double) {
  // Squares of these overflow.
  const T large = std::sqrt(std::numeric_limits<T>::max()) * T(100);
  Tape<T> tape;
  const Solution<T> s = solve<T>(decay<T>, tape.scalar(large), {0, 1}, tolerances(1e-4, 1e-4));
  CHECK(s.report.status == Status::success);
  CHECK(static_cast<double>(s.y.item() / large) == doctest::Approx(std::exp(-1)).epsilon(1e-3));
}

TEST_CASE("trouble: stiff fields are called stiff, others are not") {
  struct Case {
    const char* name;
    Field<double> f;
    Tensor<double> y0;
    double t1;
    bool is_stiff;
  };

  const auto pull = [](double rate) {
    return [rate](const Var<double>& t, const Var<double>& y) { return (y - cos(t)) * -rate; };
  };
  const auto rotation = [](double rate) {
    return [rate](const Var<double>& t, const Var<double>& y) {
      return matmul(y, t.tape().input(Tensor<double>{{0, rate}, {-rate, 0}}));
    };
  };
  // Van der Pol's equation and Robertson's problem, which are stiff by definition.
  const auto van_der_pol = [](const Var<double>&, const Var<double>& y) {
    const Var<double> x = slice(y, 0, 0, 1);
    const Var<double> v = slice(y, 0, 1, 2);
    return concatenate<double>({v, (1.0 - square(x)) * v * 1e3 - x}, 0);
  };
  const auto robertson = [](const Var<double>&, const Var<double>& y) {
    const Var<double> a = slice(y, 0, 0, 1) * 0.04;
    const Var<double> b = slice(y, 0, 1, 2) * slice(y, 0, 2, 3) * 1e4;
    const Var<double> c = square(slice(y, 0, 1, 2)) * 3e7;
    return concatenate<double>({b - a, a - b - c, c}, 0);
  };
  const auto fast_decay = [](const Var<double>&, const Var<double>& y) { return y * -1e6; };
  const auto noise = [](const Var<double>& t, const Var<double>& y) {
    return y * 0.0 + cos(t * 1e7);
  };
  for (const Case& c :
       {Case{"pull of 1e6", pull(1e6), Tensor<double>{1.5}, 10, true},
        Case{"pull of 1e4", pull(1e4), Tensor<double>{1.5}, 20, true},
        Case{"fast decay", fast_decay, Tensor<double>{1.0, 2.0}, 10, true},
        Case{"van der Pol", van_der_pol, Tensor<double>{2.0, 0.0}, 2000, true},
        Case{"Robertson", robertson, Tensor<double>{1.0, 0.0, 0.0}, 1e5, true},
        Case{"fast in time", noise, Tensor<double>{0.0}, 1, false},
        Case{"fast rotation", rotation(1e5), Tensor<double>{{1.0, 0.0}}, 10, false}}) {
    for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
      CAPTURE(std::string(c.name));
      CAPTURE(tolerance);
      // Errors of 1e-3 let Robertson's second species, near 1e-5, become negative, and then it
      // does blow up.
      if (std::string(c.name) == "Robertson" && tolerance > 1e-6) continue;
      Tape<double> tape;
      const Report r =
          solve_values(c.f, tape.input(c.y0), {0, c.t1}, tolerances(tolerance, tolerance)).report;
      CAPTURE(r.message());
      CHECK((r.status == Status::stiff) == c.is_stiff);
      CHECK((r.message().find("the field is stiff there") != std::string::npos) == c.is_stiff);
    }
  }
}

TEST_CASE("trouble: every outcome has a sentence and, but for success, a remedy") {
  for (const Status status :
       {Status::success, Status::max_steps, Status::stiff, Status::step_too_small,
        Status::tolerances_too_fine, Status::non_finite, Status::not_solved,
        Status::event_undefined, Status::irreversible}) {
    Report report;
    report.status = status;
    CHECK_FALSE(report.outcome().empty());
    CHECK(report.remedy().empty() == (status == Status::success));
    const SolveFailure failure("rows 1 to 2", SolveFailure("block 0", SolveFailure(report)));
    CHECK(failure.outcome() == "rows 1 to 2: block 0: " + report.outcome());
    CHECK(failure.what() == failure.outcome() + "; " + report.remedy());
    CHECK(failure.report().status == status);
  }
}

TEST_CASE("trouble: a field that is NaN from the start on is not blamed on the limit of steps") {
  Tape<double> tape;
  SolveOptions options;
  options.max_steps = 20;
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    return t.item() > 0 ? y * std::nan("") : y;
  };
  CHECK(solve(f, tape.scalar(1.0), {0, 1}, options).report.status == Status::non_finite);
}

TEST_CASE("trouble: an event without a slope where it passes zero has no derivative") {
  Tape<double> tape;
  const auto is_refused = [&](const Field<double>& f, double y0, const Field<double>& function,
                              const char* slope) {
    Problem<double> problem{f, tape.scalar(y0), {0, 2}};
    problem.events = {{function}};
    SolveOptions options;
    CHECK_THROWS_WITH_AS(solve(problem, options), doctest::Contains(slope), std::invalid_argument);
    options.gradient = &checkpointed;
    CHECK_THROWS_WITH_AS(solve(problem, options), doctest::Contains(slope), std::invalid_argument);
    options.gradient = &values_only;
    CHECK(solve(problem, options).occurrences.size() == 1);
  };
  is_refused(
      decay<double>, 1, [](const auto& t, const auto&) { return (t - 1.0) * square(t - 1.0); },
      "the function of event 0 has the slope 0 where it passes zero, at t = 1,");
  is_refused(
      decay<double>, 1,
      [](const auto& t, const auto& y) { return t.tape().scalar(y.item() - 0.5); },
      "the function of event 0 has the slope 0 where it passes zero, at t = 0.6931");
  const auto state = [](const auto&, const auto& y) { return y; };
  // y = (t - 1)^3, with a slope that is 0 but for rounding.
  const auto cubic = [](const auto& t, const auto& y) { return 3.0 * square(t - 1.0) + 0.0 * y; };
  is_refused(cubic, -1, state, "where it passes zero, at t = ");
}

TEST_CASE("trouble: an event whose function passes zero gently has a derivative") {
  Tape<double> tape;
  // y = (t - 1)^3 + (t - 1) / 10^6
  Problem<double> problem{
      [](const auto& t, const auto& y) { return 3.0 * square(t - 1.0) + 1e-6 + 0.0 * y; },
      tape.scalar(-1 - 1e-6),
      {0, 2}};
  problem.events = {{[](const auto&, const auto& y) { return y; }}};
  SolveOptions options;
  options.rtol = options.atol = 1e-12;
  const Var<double> t = solve(problem, options).occurrences.at(0).t;
  CHECK(t.item() == doctest::Approx(1).epsilon(1e-9));
  CHECK(gradient_values(t, {problem.y0})[0].item() == doctest::Approx(-1e6).epsilon(1e-3));
}

TEST_CASE("trouble: an event's function may have any shape of one entry, but not be empty") {
  Tape<double> tape;
  const Field<double> f = decay<double>;
  Problem<double> problem{f, tape.input(Tensor<double>{1.0}), {0, 2}};
  problem.events = {{[](const auto&, const auto& y) { return y - 0.5; }}};
  const Occurrence<double> half = solve(problem).occurrences.at(0);
  CHECK(half.t.item() == doctest::Approx(std::log(2)).epsilon(1e-5));
  CHECK(half.t.shape() == Shape{});
  problem.events = {{}};
  CHECK_THROWS_WITH_AS(solve(problem), doctest::Contains("an event needs a function"),
                       std::invalid_argument);
  const PlainField plain = [](double, auto y, auto dydt) { dydt[0] = -y[0]; };
  Watch watch;
  watch.events = {{}};
  CHECK_THROWS_WITH_AS(simulate(plain, std::vector{1.0}, {0, 1}, {}, watch),
                       doctest::Contains("an event needs a function"), std::invalid_argument);
}

TEST_CASE("trouble: times that are not those of the span are refused") {
  Tape<double> tape;
  const Field<double> f = decay<double>;
  const Var<double> zero = tape.scalar(0.0);
  const Var<double> one = tape.scalar(1.0);
  const auto is_refused = [&](const TimeVars<double>& times, const char* part) {
    CHECK_THROWS_WITH_AS(solve(Problem<double>{f, tape.scalar(1.0), {0, 1}, times}),
                         doctest::Contains(part), std::invalid_argument);
  };
  is_refused({zero, {}}, "times must be two variables or none");
  is_refused({{}, one}, "times must be two variables or none");
  is_refused({one, zero}, "t0 must be the same in span and times, got 0 and 1");
  is_refused({zero, tape.scalar(2.0)}, "t1 must be the same in span and times, got 1 and 2");
  is_refused({zero, tape.input(Tensor<double>{1.0})}, "t1 must be a scalar, got [1]");
}

TEST_CASE("trouble: null methods, methods without steps and empty fields are refused") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(1.0);
  const Var<double> t0 = tape.scalar(0.0);
  const Var<double> t1 = tape.scalar(1.0);
  const auto refused_everywhere = [&](const Field<double>& f, const SolveOptions& options,
                                      const char* part) {
    const auto refuses = [&](auto solve_it) {
      CHECK_THROWS_WITH_AS(solve_it(), doctest::Contains(part), std::invalid_argument);
    };
    refuses([&] { solve(f, y0, {0, 1}, options); });
    refuses([&] { solve(f, y0, t0, t1, options); });
    refuses([&] { solve_values(f, y0, {0, 1}, options); });
    refuses([&] { solve_adjoint<double>(f, y0, t0, t1, {options, options}); });
  };
  SolveOptions options;
  refused_everywhere(nullptr, options, "got an empty function");
  options.method = nullptr;
  refused_everywhere(decay<double>, options, "method must be a method, got a null pointer");
  options.method = &rk4;
  refused_everywhere(decay<double>, options,
                     "rk4 estimates no error to choose steps by; set fixed_step or grid");
  // Also where only the second solve has it.
  const Var<double> y = solve_adjoint<double>(decay<double>, y0, t0, t1,
                                              {SolveOptions(), SolveOptions{.method = nullptr}})
                            .y;
  CHECK_THROWS_WITH_AS(gradient_values<double>(y, std::vector{y0}),
                       doctest::Contains("got a null pointer"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::ode
