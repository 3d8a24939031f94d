/// What chooses the steps: controllers, norms, tolerances, and options that are refused.
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/inverse_root.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::solve_values;

using test::tolerances;
using Numbers = std::vector<double>;

/// The factor by its definition, in terms of steps' errors e1 (the last), e2 and e3, for exponents
/// k1, k2, k3 of theirs: 0.9 e1^-k1 e2^-k2 e3^-k3.
double factor_by_hand(const std::array<double, 3>& errors, const std::array<double, 3>& exponents) {
  double factor = 0.9;
  for (std::size_t i = 0; i < 3; ++i) factor *= std::pow(errors[i], -exponents[i]);
  return factor;
}

TEST_CASE("control: the controllers are those of the literature") {
  struct Case {
    const Controller* controller;
    std::array<double, 3> exponents;  ///< times the order
  };

  // Hairer & Wanner, Solving ODEs II, 2nd ed., (IV.2.43): 0.7 and -0.4; Soderlind (2003), table 1:
  // H312PID has 1/18, 1/9 and 1/18.
  for (const Case& c : {Case{&integral_control, {1, 0, 0}}, Case{&pi_control, {0.7, -0.4, 0}},
                        Case{&pid_control, {1.0 / 18, 1.0 / 9, 1.0 / 18}}}) {
    CAPTURE(c.controller->name());
    for (const int order : {2, 5, 8}) {
      for (const std::array<double, 3>& errors :
           {std::array{1.0, 1.0, 1.0}, {0.3, 0.9, 0.5}, {0.9, 0.4, 1.0}, {0.5, 0.5, 0.9}}) {
        std::array<double, 3> exponents = c.exponents;
        for (double& exponent : exponents) exponent /= order;
        const double factor = c.controller->factor({errors[0], errors[1], errors[2], order, false});
        CHECK(factor == doctest::Approx(factor_by_hand(errors, exponents)).epsilon(1e-14));
        CHECK(c.controller->factor({errors[0], errors[1], errors[2], order, true}) ==
              doctest::Approx(std::min(factor, 1.0)).epsilon(1e-15));
      }
    }
  }
}

TEST_CASE("control: the inverse root is that of the C library") {
  for (int n = 1; n <= 24; ++n) {
    CAPTURE(n);
    for (double x = 1e-24; x < 1e24; x *= 1.037) {
      CAPTURE(x);
      CHECK(std::abs(inverse_root(x, n) * std::pow(x, 1.0 / n) - 1) < 1e-14);
    }
    for (const double x : {1.0, 4.0, 0.25, 1024.0})
      CHECK(std::abs(inverse_root(x, n) / std::pow(x, -1.0 / n) - 1) < 1e-15);
    for (const double x : {0.0, 1e-310, 1e300, double(INFINITY)})
      CHECK(inverse_root(x, n) == std::pow(x, -1.0 / n));
    CHECK(std::isnan(inverse_root(NAN, n)));
  }
}

TEST_CASE("control: factors stay within their limits, and are those of the options") {
  const PidController own("own", {.integral = 0.8,
                                  .proportional = 0.3,
                                  .derivative = -0.1,
                                  .safety = 0.5,
                                  .min_factor = 0.3,
                                  .max_factor = 2});
  CHECK(own.name() == "own");
  CHECK(own.factor({.error = 0.6, .last = 0.8, .second_last = 0.7, .order = 1}) ==
        doctest::Approx(0.5 * std::pow(0.6, -1.0) * std::pow(0.8, 0.1) * std::pow(0.7, 0.1)));
  for (const Controller* controller : controllers()) {
    CAPTURE(controller->name());
    CHECK(controller->factor({.error = 0, .order = 1}) == 10);
    CHECK(controller->factor({.error = 0, .order = 1, .was_rejected = true}) == 1);
    // Of a rejected step the classic one, whatever came before.
    for (const double last : {0.0, 1e-9, 1.0}) {
      CHECK(controller->factor({.error = 32, .last = last, .second_last = last, .order = 5}) ==
            doctest::Approx(0.45));
      CHECK(controller->factor({1e12, last, last, 1}) == 0.2);
      for (const double error : {double(NAN), double(INFINITY), -double(INFINITY)})
        CHECK(controller->factor({error, last, last, 5}) == 0.2);
      CHECK(std::isfinite(controller->factor({0, last, last, 5})));
    }
  }
  CHECK(own.factor({.error = 0, .order = 1}) == 2);
  CHECK(own.factor({.error = 1e9, .order = 1}) == 0.3);
}

TEST_CASE("control: options of a controller that are out of range are refused") {
  const auto refuses = [](const PidOptions& options, const char* part) {
    CHECK_THROWS_WITH_AS(PidController("own", options), doctest::Contains(part),
                         std::invalid_argument);
  };
  for (const double bad : {0.0, 1.0, -0.5, double(NAN)}) {
    refuses({.safety = bad}, "safety must be in (0, 1)");
    refuses({.min_factor = bad}, "min_factor must be in (0, 1)");
    refuses({.max_factor = bad}, "max_factor must be above 1");
  }
  for (const double bad : {double(NAN), double(INFINITY)}) {
    refuses({.integral = bad}, "must be finite");
    refuses({.proportional = bad}, "must be finite");
    refuses({.derivative = bad}, "must be finite");
  }
}

/// y' = -500 (y - cos t): the steps are limited by stability.
Report solve_steep(const Controller& controller) {
  SolveOptions options = tolerances(1e-5, 1e-5);
  options.controller = &controller;
  const auto f = [](double t, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = -500 * (y[0] - std::cos(t));
  };
  return simulate(f, Numbers{0}, {0, 5}, options).report;
}

TEST_CASE("control: memory of errors makes for fewer rejections where stability limits the steps") {
  const Report classic = solve_steep(integral_control);
  CHECK(classic.status == Status::success);
  CHECK(classic.rejected > 8);
  for (const Controller* controller : controllers()) {
    if (controller == &integral_control) continue;
    const Report report = solve_steep(*controller);
    CHECK(report.status == Status::success);
    CHECK(report.rejected < classic.rejected / 2);
  }
}

TEST_CASE("control: small errors before a sudden one do not keep a rejected step long") {
  // y' = 1e-6 up to t = 5, a fast turn from there on.
  for (const Controller* controller : controllers()) {
    CAPTURE(controller->name());
    SolveOptions options = tolerances(1e-6, 1e-6);
    options.controller = controller;
    options.largest_step = 0.5;
    const auto f = [](double t, std::span<const double>, std::span<double> dydt) {
      const double s = (t - 5) * 20;
      dydt[0] = 1e-6 + std::exp(-s * s);
    };
    const Simulation s = simulate(f, Numbers{0}, {0, 10}, options);
    CHECK(s.report.status == Status::success);
    CHECK(s.report.rejected < 50);
    // The integral of the bell is sqrt(pi) / 20.
    CHECK(std::abs(s.y[0] - 1e-5 - std::sqrt(std::acos(-1.0)) / 20) < 1e-4);
  }
}

/// Two decays of rates 1 and 40, the second small.
void decays(double, std::span<const double> y, std::span<double> dydt) {
  dydt[0] = -y[0];
  dydt[1] = -40 * y[1];
}

Simulation solve_decays(const SolveOptions& options) {
  return simulate(decays, Numbers{1, 1e-3}, {0, 1}, options);
}

TEST_CASE("control: tolerances of the entries are their own") {
  const SolveOptions same = tolerances(1e-4, 1e-7);
  SolveOptions options = tolerances(0.5, 0.5);
  options.rtol_of_entries = {1e-4, 1e-4};
  options.atol_of_entries = {1e-7, 1e-7};
  CHECK(solve_decays(options).y == solve_decays(same).y);
  CHECK(solve_decays(options).report.evaluations == solve_decays(same).report.evaluations);
  // Only one list: the other number holds for all.
  options.rtol = 1e-4;
  options.rtol_of_entries = {};
  CHECK(solve_decays(options).y == solve_decays(same).y);
  // An entry with a wide tolerance takes no steps of its own.
  options = tolerances(1e-6, 1e-9);
  const std::size_t all = solve_decays(options).report.accepted;
  options.atol_of_entries = {1e-9, 1e3};
  const Simulation first = solve_decays(options);
  CHECK(first.report.accepted < all / 2);
  CHECK(std::abs(first.y[0] - std::exp(-1.0)) < 1e-6);
  options.atol_of_entries = {1e3, 1e-12};
  const Simulation second = solve_decays(options);
  CHECK(std::abs(second.y[1] - 1e-3 * std::exp(-40.0)) < 1e-10);
  CHECK(second.report.accepted > first.report.accepted);
}

TEST_CASE("control: a custom norm gets the ratios, and does as the norm that it computes") {
  for (const ErrorNorm norm : {ErrorNorm::rms, ErrorNorm::maximum}) {
    SolveOptions options = tolerances(1e-5, 1e-8);
    options.norm = norm;
    const Simulation expected = solve_decays(options);
    std::size_t calls = 0;
    std::size_t sizes = 0;
    options.norm = ErrorNorm::largest_row;
    options.custom_norm = [&](std::span<const double> ratios) {
      ++calls;
      sizes += ratios.size();
      double squares = 0;
      double most = 0;
      for (const double r : ratios) {
        squares += r * r;
        most = std::max(most, std::abs(r));
      }
      return norm == ErrorNorm::rms ? std::sqrt(squares / 2) : most;
    };
    const Simulation s = solve_decays(options);
    CHECK(s.report.accepted == expected.report.accepted);
    CHECK(s.report.rejected == expected.report.rejected);
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(s.y[i] == doctest::Approx(expected.y[i]).epsilon(1e-12));
    CHECK(calls >= s.report.accepted + s.report.rejected);
    CHECK(sizes == 2 * calls);
  }
}

TEST_CASE("control: the ratios of a step are its error in units of the tolerances") {
  // One step of Heun's method with Euler's inside, of y' = y from (1, 2): the error is h^2 y / 2.
  Numbers last;
  SolveOptions options = tolerances(0.25, 1);
  options.rtol_of_entries = {0.25, 0.5};
  options.method = &heun_euler;
  options.first_step = 0.5;
  options.custom_norm = [&](std::span<const double> ratios) {
    last.assign(ratios.begin(), ratios.end());
    return 0.5;
  };
  const auto f = [](double, std::span<const double> y, std::span<double> dydt) {
    std::copy(y.begin(), y.end(), dydt.begin());
  };
  const Simulation s = simulate(f, Numbers{1, 2}, {0, 0.5}, options);
  CHECK(s.y == Numbers{1.625, 3.25});
  REQUIRE(last.size() == 2);
  CHECK(std::abs(last[0]) == doctest::Approx(0.125 / (1 + 0.25 * 1.625)));
  CHECK(std::abs(last[1]) == doctest::Approx(0.25 / (1 + 0.5 * 3.25)));
}

TEST_CASE("control: the largest entry's error is no larger than allowed, whoever else is small") {
  // One fast entry among 400: the root mean square dilutes its error, the maximum does not.
  const auto error = [](ErrorNorm norm) {
    SolveOptions options = tolerances(1e-6, 1e-6);
    options.norm = norm;
    const auto f = [](double t, std::span<const double>, std::span<double> dydt) {
      std::ranges::fill(dydt, 0.0);
      dydt[7] = 60 * std::cos(60 * t);
    };
    return std::abs(simulate(f, Numbers(400), {0, 2}, options).y[7] - std::sin(120.0));
  };
  CHECK(error(ErrorNorm::maximum) < 5e-6);
  CHECK(error(ErrorNorm::rms) > 2 * error(ErrorNorm::maximum));
}

TEST_CASE("control: NaN that a custom norm overlooks ends the solve") {
  SolveOptions options = tolerances(1e-5, 1e-5);
  options.custom_norm = [](std::span<const double> ratios) { return std::abs(ratios[0]); };
  const auto f = [](double t, std::span<const double> y, std::span<double> dydt) {
    dydt[0] = -y[0];
    dydt[1] = t > 0.5 ? NAN : 1.0;
  };
  const Report report = simulate(f, Numbers{1, 1}, {0, 1}, options).report;
  CHECK(report.status == Status::non_finite);
  CHECK(report.t == doctest::Approx(0.5).epsilon(1e-6));
}

TEST_CASE("control: every option out of its range is refused by name, in every kind of solve") {
  const auto refuses = [](const char* part, auto change, TimeSpan span = {0, 1}) {
    CAPTURE(part);
    SolveOptions options;
    change(options);
    Tape<double> tape;
    const Var<double> y0 = tape.input(Tensor<double>{1.0, 1.0});
    const auto f = [](const Var<double>&, const Var<double>& y) { return -y; };
    const auto expect = [&](auto solve_it) {
      CHECK_THROWS_WITH_AS(solve_it(), doctest::Contains(part), std::invalid_argument);
    };
    expect([&] { simulate(decays, Numbers{1, 1}, span, options); });
    expect([&] { solve(f, y0, span, options); });
    expect([&] { solve_values(f, y0, span, options); });
  };
  using O = SolveOptions;
  const auto none = [](O&) {};
  for (const double bad : {-1.0, double(NAN), double(INFINITY)}) {
    refuses("rtol must be at least 0, got ", [=](O& o) { o.rtol = bad; });
    refuses("atol must be positive in the precision", [=](O& o) { o.atol = bad; });
    refuses("rtol_of_entries must be at least 0", [=](O& o) { o.rtol_of_entries = {0, bad}; });
    refuses("atol_of_entries must be positive", [=](O& o) { o.atol_of_entries = {1, bad}; });
    refuses("first_step must be positive", [=](O& o) { o.first_step = bad; });
    refuses("smallest_step must be positive", [=](O& o) { o.smallest_step = bad; });
    refuses("largest_step must be positive", [=](O& o) { o.largest_step = bad; });
    refuses("fixed_step must be positive", [=](O& o) { o.fixed_step = bad; });
  }
  for (const double zero : {0.0, -0.0}) {
    refuses("atol must be positive", [=](O& o) { o.atol = zero; });
    refuses("atol_of_entries must be positive, got", [=](O& o) { o.atol_of_entries = {zero, 1}; });
    refuses("first_step must be positive, got", [=](O& o) { o.first_step = zero; });
    refuses("fixed_step must be positive, got", [=](O& o) { o.fixed_step = zero; });
  }
  refuses("entries, got 3", [](O& o) { o.rtol_of_entries = {1, 1, 1}; });
  refuses("the state's 2 entries, got 1", [](O& o) { o.atol_of_entries = {1}; });
  refuses("smallest_step must be at most largest_step, got 0.5 and 0.25", [](O& o) {
    o.smallest_step = 0.5;
    o.largest_step = 0.25;
  });
  refuses("max_steps must be positive, got 0", [](O& o) { o.max_steps = 0; });
  refuses("grid must be in the order of the solve from t0 = 0 to t1 = 1, got 0.2 after 0.5",
          [](O& o) {
            o.grid = {0.5, 0.2};
          });
  refuses("t1 = 2, got 0.2", [](O& o) { o.grid = {0.2, 0.5}; }, {1, 2});
  refuses("step_on must be in the order", [](O& o) { o.step_on = {0.5, 1.5}; });
  refuses("step_on must be in the order", [](O& o) { o.step_on = {0.2, 0.8}; }, {1, 0});
  refuses("jumps must be in the order", [](O& o) { o.jumps = {-0.1}; });
  refuses("jumps must be in the order", [](O& o) { o.jumps = {NAN}; });
  refuses("controller must be a controller, got a null", [](O& o) { o.controller = nullptr; });
  refuses("method must be a method, got a null pointer", [](O& o) { o.method = nullptr; });
  refuses("fixed_step and grid both say where steps end", [](O& o) {
    o.fixed_step = 0.1;
    o.grid = {0.5};
  });
  for (const TimeSpan span : {TimeSpan{0, INFINITY}, TimeSpan{NAN, 1}, TimeSpan{-1e308, 1e308}})
    refuses("t0, t1 and their difference must be finite", none, span);
  for (const Method* method : methods()) {
    if (method->error_order() > 0) continue;
    const std::string text =
        "the method " + std::string(method->name()) + " estimates no error to choose steps by";
    refuses(text.c_str(), [=](O& o) { o.method = method; });
  }
  // In single precision a tolerance must be a number of it.
  Tape<float> tape;
  const auto f = [](const Var<float>&, const Var<float>& y) { return -y; };
  CHECK_THROWS_WITH_AS(solve(f, tape.scalar(1.0F), {0, 1}, tolerances(0, 1e-50)),
                       doctest::Contains("atol must be positive in the precision of the state"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(simulate(nullptr, Numbers{1}, {0, 1}),
                       doctest::Contains("got an empty function"), std::invalid_argument);
}

TEST_CASE("control: geometric methods refuse states without two halves") {
  SolveOptions options;
  options.method = &leapfrog;
  options.fixed_step = 0.1;
  const auto plain = [](double, std::span<const double>, std::span<double>) {};
  CHECK_THROWS_WITH_AS(simulate(plain, Numbers{1, 2, 3}, {0, 1}, options),
                       doctest::Contains("positions and as many velocities, got 3 entries"),
                       std::invalid_argument);
  Tape<double> tape;
  const auto f = [](const Var<double>&, const Var<double>& y) { return -y; };
  CHECK_THROWS_AS(solve(f, tape.scalar(1.0), {0, 1}, options), std::invalid_argument);
  CHECK_THROWS_AS(solve(f, tape.input(Tensor<double>::zeros({2, 3})), {0, 1}, options),
                  std::invalid_argument);
}

TEST_CASE("control: methods are found by their names, and the error lists them") {
  for (const Method* method : methods()) CHECK(&method_named(method->name()) == method);
  try {
    method_named("dopri5");
    FAIL("nothing thrown");
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    CHECK(text.find(", got dopri5") != std::string::npos);
    for (const Method* method : methods())
      CHECK(text.find(std::string(method->name())) != std::string::npos);
  }
}

}  // namespace
}  // namespace fjord::ode
