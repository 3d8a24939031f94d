/// Rows with their own steps: as solves of each row, and unmoved by their company.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::tolerances;

/// Van der Pol oscillators [rows, 3] of position, velocity and stiffness.
template <class T>
Var<T> oscillators(const Var<T>&, const Var<T>& y) {
  const Var<T> x = slice(y, 1, 0, 1);
  const Var<T> v = slice(y, 1, 1, 2);
  const Var<T> mu = slice(y, 1, 2, 3);
  return concatenate<T>({v, mu * (T(1) - square(x)) * v - x, mu * T(0)}, 1);
}

template <class T>
Tensor<T> starts(const std::vector<double>& stiffness) {
  Tensor<T> y = Tensor<T>::zeros({static_cast<Index>(stiffness.size()), 3});
  for (std::size_t i = 0; i < stiffness.size(); ++i) {
    y.data()[i] = T(2);
    y.data()[i + stiffness.size()] = static_cast<T>(0.1 * static_cast<double>(i));
    y.data()[i + 2 * stiffness.size()] = static_cast<T>(stiffness[i]);
  }
  return y;
}

template <class T>
Tensor<T> row_of(const Tensor<T>& x, Index row) {
  Tensor<T> result = Tensor<T>::zeros({1, x.shape()[1]});
  for (Index c = 0; c < x.shape()[1]; ++c) result.data()[c] = x.data()[c * x.shape()[0] + row];
  return result;
}

const std::vector<double> mixed{0.5, 60, 1, 3, 0.1, 20, 2};

TEST_CASE_TEMPLATE("separate rows: each as on its own, to the bit, with its own steps", T, float,
                   double) {
  const Tensor<T> y0 = starts<T>(mixed);
  const double tolerance = std::is_same_v<T, double> ? 1e-7 : 1e-4;
  for (const Method* method : methods()) {
    const bool has_memory = method->kind() == "reversible" || method->kind() == "multistep";
    if (method->error_order() == 0 || has_memory) continue;
    CAPTURE(std::string(method->name()));
    SolveOptions options = tolerances(tolerance, tolerance);
    options.max_steps = 100'000;
    options.method = method;
    options.separate_rows = true;
    options.save_at = {0, 0.7, 2};
    if (method->order() <= 2) options.rtol = options.atol = 1e-3;
    for (const bool records : {true, false}) {
      options.gradient = records ? static_cast<const GradientMode*>(&direct) : &values_only;
      Tape<T> tape;
      const Solution<T> all = solve(Field<T>(oscillators<T>), tape.input(y0), {0, 3}, options);
      REQUIRE(all.report.status == Status::success);
      REQUIRE(all.rows.size() == mixed.size());
      REQUIRE(all.states.size() == options.save_at.size());
      const Tensor<T> end(all.y.value());
      for (Index i = 0; i < y0.shape()[0]; ++i) {
        const Solution<T> one =
            solve(Field<T>(oscillators<T>), tape.input(row_of(y0, i)), {0, 3}, options);
        const Tensor<T> alone(one.y.value());
        const Tensor<T> together = row_of(end, i);
        CHECK(std::equal(alone.data(), alone.data() + 3, together.data()));
        for (std::size_t k = 0; k < options.save_at.size(); ++k) {
          const Tensor<T> saved_alone(one.states[k].value());
          const Tensor<T> saved = row_of(Tensor<T>(all.states[k].value()), i);
          CHECK(std::equal(saved_alone.data(), saved_alone.data() + 3, saved.data()));
        }
        const Report& report = all.rows[static_cast<std::size_t>(i)];
        CHECK(report.accepted == one.report.accepted);
        CHECK(report.rejected == one.report.rejected);
        CHECK(report.t == 3);
      }
      const auto [fewest, most] = std::ranges::minmax(all.rows, {}, &Report::accepted);
      CHECK(4 * most.accepted > 5 * fewest.accepted);
    }
  }
}

TEST_CASE("separate rows: right, forward and backward in time, with times that the field sees") {
  // y' = -a y cos t: y = y0 exp(a (sin t0 - sin t1)).
  for (const TimeSpan span : {TimeSpan{0.3, 4}, TimeSpan{4, 0.3}}) {
    Tape<double> tape;
    const Tensor<double> y0{{1.0, 0.5}, {2.0, 5.0}, {-1.0, -20.0}};
    const auto f = [](const Var<double>& t, const Var<double>& y) {
      CHECK(t.shape() == Shape({y.shape()[0], 1}));
      const Var<double> a = slice(y, 1, 1, 2);
      return concatenate<double>({-a * slice(y, 1, 0, 1) * cos(t), a * 0.0}, 1);
    };
    SolveOptions options = tolerances(1e-10, 1e-14);
    options.separate_rows = true;
    options.save_at = {1, 2.5};
    if (span.t1 < span.t0) std::ranges::reverse(options.save_at);
    const Var<double> start = tape.input(y0);
    const Solution<double> s = solve(f, start, span, options);
    REQUIRE(s.report.status == Status::success);
    REQUIRE(s.states.size() == 2);
    for (std::size_t k = 0; k < options.save_at.size(); ++k) {
      const double t = k < 2 ? options.save_at[k] : span.t1;
      const Var<double>& y = k < 2 ? s.states[k] : s.y;
      const auto slopes = gradient_values(sum(slice(y, 1, 0, 1)), {start});
      for (Index i = 0; i < 3; ++i) {
        const double a = y0.data()[3 + i];
        const double change = std::sin(span.t0) - std::sin(t);
        const double exact = std::exp(a * change);
        CHECK(y.value().data()[i] == doctest::Approx(y0.data()[i] * exact).epsilon(1e-7));
        CHECK(slopes[0].data()[i] == doctest::Approx(exact).epsilon(1e-7));
        CHECK(slopes[0].data()[3 + i] ==
              doctest::Approx(y0.data()[i] * change * exact).epsilon(1e-7));
      }
    }
  }
}

TEST_CASE("separate rows: a row that fails ends alone, and says where") {
  // y' = y^2 ends at t = 1 / y0.
  Tape<double> tape;
  SolveOptions options = tolerances(1e-8, 1e-8);
  options.separate_rows = true;
  const auto f = [](const Var<double>&, const Var<double>& y) { return square(y); };
  const Var<double> y0 = tape.input(Tensor<double>{{0.25}, {2.0}, {NAN}, {-1.0}});
  const Solution<double> s = solve(f, y0, {0, 1}, options);
  CHECK(s.report.status != Status::success);
  REQUIRE(s.rows.size() == 4);
  CHECK(s.rows[0].status == Status::success);
  CHECK(s.y.value().data()[0] == doctest::Approx(1 / 3.0).epsilon(1e-7));
  CHECK((s.rows[1].status == Status::step_too_small || s.rows[1].status == Status::non_finite));
  CHECK(s.rows[1].t == doctest::Approx(0.5).epsilon(1e-6));
  CHECK(s.report.t == s.rows[1].t);
  CHECK(s.rows[2].status == Status::non_finite);
  CHECK(s.rows[2].t == 0);
  CHECK(s.rows[3].status == Status::success);
  CHECK(s.y.value().data()[3] == doctest::Approx(-0.5).epsilon(1e-7));
  options.max_steps = 3;
  CHECK(solve(f, tape.input(Tensor<double>{{0.9}}), {0, 1}, options).rows[0].status ==
        Status::max_steps);
}

TEST_CASE("separate rows: what is about all rows at once is refused by name") {
  Tape<double> tape;
  const auto f = [](const Var<double>&, const Var<double>& y) { return -y; };
  const Var<double> y0 = tape.input(Tensor<double>{{1.0}, {2.0}});
  SolveOptions options;
  options.separate_rows = true;
  const auto refuses = [&](const SolveOptions& refused, const char* name) {
    CAPTURE(std::string(name));
    CHECK_THROWS_WITH_AS(solve(f, y0, {0, 1}, refused), doctest::Contains(name),
                         std::invalid_argument);
  };
  SolveOptions changed = options;
  changed.fixed_step = 0.1;
  refuses(changed, "so that fixed_step cannot be given");
  changed = options;
  changed.jumps = {0.5};
  refuses(changed, "so that jumps cannot be given");
  changed = options;
  changed.atol_of_entries = {1, 1};
  refuses(changed, "so that atol_of_entries cannot be given");
  changed = options;
  changed.save_steps = true;
  refuses(changed, "and saved steps");
  for (const GradientMode* mode : gradient_modes()) {
    if (mode == &direct || mode == &values_only) continue;
    CAPTURE(std::string(mode->name()));
    changed = options;
    changed.gradient = mode;
    if (!mode->suits(*changed.method)) changed.method = &reversible_heun;
    refuses(changed, "gradient modes direct and values_only");
    changed.save_at = {0.5};
    refuses(changed, "gradient modes direct and values_only");
  }
  changed = options;
  changed.method = &reversible_heun;
  refuses(changed, "a method of one step, got reversible_heun");
  CHECK_THROWS_WITH_AS(solve(f, tape.scalar(1.0), {0, 1}, options),
                       doctest::Contains("a state with rows, got a number"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(solve(f, y0, tape.scalar(0.0), tape.scalar(1.0), options),
                       doctest::Contains("a derivative in the times"), std::invalid_argument);
}

TEST_CASE("separate rows: no rows, and no time") {
  Tape<double> tape;
  const auto f = [](const Var<double>&, const Var<double>& y) { return -y; };
  SolveOptions options;
  options.separate_rows = true;
  const Solution<double> none =
      solve(f, tape.input(Tensor<double>::zeros({0, 2})), {0, 1}, options);
  CHECK(none.report.status == Status::success);
  CHECK(none.y.shape() == Shape({0, 2}));
  const Var<double> y0 = tape.input(Tensor<double>{{1.0}, {2.0}});
  const Solution<double> still = solve(f, y0, {1, 1}, options);
  CHECK(still.report.status == Status::success);
  CHECK(still.y.value().data()[1] == 2);
}

}  // namespace
}  // namespace fjord::ode
