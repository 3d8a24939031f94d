/// Rows with their own steps of which some fail: the others are as without them.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::tolerances;

SolveOptions options_of_rows(double tolerance, std::vector<double> save_at) {
  SolveOptions options = tolerances(tolerance, tolerance);
  options.separate_rows = true;
  options.save_at = std::move(save_at);
  return options;
}

// y' = w sqrt(c - t) in rows of y and c: NaN after c, where y = y0 + w integral(c, c). The product
// of matrices reads what is NaN in a row beside the numbers of others.
template <class T>
Field<T> roots(const Var<T>& w) {
  return [w](const Var<T>& t, const Var<T>& y) {
    const Var<T> c = slice(y, 1, 1, 2);
    return concatenate<T>({matmul(sqrt(c - t), w), c * T(0)}, 1);
  };
}

double integral(double c, double t) {
  return (std::pow(c, 1.5) - std::pow(c - t, 1.5)) * 2 / 3;
}

// y' = y^2: y = y0 / (1 - t y0).
template <class T>
Var<T> squares(const Var<T>&, const Var<T>& y) {
  return square(y);
}

// y' = y cos(y t) of frequencies.
template <class T>
Var<T> waves(const Var<T>& t, const Var<T>& y) {
  const Var<T> frequency = slice(y, 1, 1, 2);
  return concatenate<T>({frequency * cos(frequency * t), frequency * T(0)}, 1);
}

// What all states and the end hold of some rows, row by row.
template <class T>
std::vector<T> numbers_of(const Solution<T>& s, const std::vector<Index>& rows) {
  std::vector<T> numbers;
  Vars<T> all = s.states;
  all.push_back(s.y);
  for (const Var<T>& y : all) {
    const Tensor<T> state(y.value());
    const Index count = state.shape()[0];
    for (const Index row : rows) {
      for (Index at = row; at < state.shape().size(); at += count)
        numbers.push_back(state.data()[at]);
    }
  }
  return numbers;
}

template <class T>
Tensor<T> rows_of(const std::vector<std::vector<double>>& all, const std::vector<Index>& rows) {
  const auto count = static_cast<Index>(rows.size());
  const auto columns = static_cast<Index>(all[0].size());
  Tensor<T> result = Tensor<T>::zeros({count, columns});
  for (Index i = 0; i < count; ++i) {
    for (Index c = 0; c < columns; ++c) {
      const std::vector<double>& row =
          all[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)])];
      result.data()[c * count + i] = static_cast<T>(row[static_cast<std::size_t>(c)]);
    }
  }
  return result;
}

template <class T>
struct Case {
  const char* name;
  Field<T> f;
  std::vector<std::vector<double>> rows;
  Index failing;
  double fails_at;
  std::size_t max_steps;
};

template <class T>
std::vector<Case<T>> cases(Tape<T>& tape) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Var<T> w = tape.input(Tensor<T>{{T(1)}});
  return {
      {"blow-up", squares<T>, {{0.25}, {2.5}, {-1}, {0.5}, {-3}, {0.1}}, 1, 0.4, 10'000},
      {"no number",
       roots<T>(w),
       {{1, 5}, {2, 2}, {0, 7}, {1, 0.4}, {1, 9}, {0, 3}},
       3,
       0.4,
       10'000},
      {"never a number", squares<T>, {{0.25}, {nan}, {0.5}, {0.1}, {0.2}, {-1}}, 1, 0, 10'000},
      {"many steps", waves<T>, {{0, 1}, {0, 2}, {0, 3}, {0, 0.5}, {0, 1.5}, {0, 999}}, 5, nan, 40},
  };
}

TEST_CASE_TEMPLATE("failing rows: end alone, and the others are to the bit as without them", T,
                   float, double) {
  Tape<T> tape;
  for (const Case<T>& c : cases<T>(tape)) {
    CAPTURE(std::string(c.name));
    for (const Method* method : {&dormand_prince, &cash_karp, &dop853, &bogacki_shampine}) {
      CAPTURE(std::string(method->name()));
      for (const bool records : {true, false}) {
        SolveOptions options = options_of_rows(1e-3, {0, 0.2, 0.4, 0.7});
        options.method = method;
        options.max_steps = c.max_steps;
        options.gradient = records ? static_cast<const GradientMode*>(&direct) : &values_only;
        std::vector<Index> all;
        std::vector<Index> good;
        for (Index i = 0; i < static_cast<Index>(c.rows.size()); ++i) {
          all.push_back(i);
          if (i != c.failing) good.push_back(i);
        }
        const TimeSpan span{0, 0.9};
        const Solution<T> with = solve(c.f, tape.input(rows_of<T>(c.rows, all)), span, options);
        const Solution<T> without = solve(c.f, tape.input(rows_of<T>(c.rows, good)), span, options);
        REQUIRE(without.report.status == Status::success);
        CHECK(with.times == options.save_at);
        REQUIRE(with.states.size() == options.save_at.size());
        REQUIRE(with.rows.size() == all.size());
        std::vector<Index> first(good.size());
        for (std::size_t i = 0; i < first.size(); ++i) {
          first[i] = static_cast<Index>(i);
          const Report& report = with.rows[static_cast<std::size_t>(good[i])];
          CHECK(report.status == Status::success);
          CHECK(report.t == span.t1);
          CHECK(report.accepted == without.rows[i].accepted);
          CHECK(report.rejected == without.rows[i].rejected);
          CHECK(report.evaluations == without.rows[i].evaluations);
        }
        CHECK(numbers_of(with, good) == numbers_of(without, first));

        const Report& failure = with.rows[static_cast<std::size_t>(c.failing)];
        CHECK(failure.status != Status::success);
        CHECK(with.report.status == failure.status);
        CHECK(with.report.t == failure.t);
        if (failure.status == Status::max_steps) {
          CHECK(failure.accepted + failure.rejected == c.max_steps);
        } else {
          CHECK(failure.t == doctest::Approx(c.fails_at).epsilon(0.01));
        }
        for (std::size_t k = 0; k <= options.save_at.size(); ++k) {
          const bool is_end = k == options.save_at.size();
          const double t = is_end ? span.t1 : options.save_at[k];
          const T number = (is_end ? with.y : with.states[k]).value().data()[c.failing];
          CAPTURE(t);
          CHECK(std::isnan(number) ==
                (t > failure.t || std::isnan(c.rows[static_cast<std::size_t>(c.failing)][0])));
        }
      }
    }
  }
}

TEST_CASE("failing rows: as closed forms, and their statuses say why") {
  Tape<double> tape;
  const Var<double> y0 = tape.input(Tensor<double>{{0.25}, {2.5}, {-1.0}});
  const SolveOptions options = options_of_rows(1e-9, {0.3, 0.6});
  const Solution<double> s = solve(Field<double>(squares<double>), y0, {0, 1}, options);
  const std::vector<double> times{0.3, 0.6, 1};
  for (std::size_t k = 0; k < times.size(); ++k) {
    const Tensor<double> y((k < 2 ? s.states[k] : s.y).value());
    for (const Index i : {0, 1, 2}) {
      const double exact = y0.value().data()[i] / (1 - times[k] * y0.value().data()[i]);
      if (i == 1 && k > 0) {
        CHECK(std::isnan(y.data()[i]));
      } else {
        CHECK(y.data()[i] == doctest::Approx(exact).epsilon(1e-7));
      }
    }
  }
  CHECK((s.rows[1].status == Status::step_too_small || s.rows[1].status == Status::non_finite));
}

TEST_CASE("failing rows: no row is left, and every time still has a state") {
  Tape<double> tape;
  for (const GradientMode* mode : {static_cast<const GradientMode*>(&direct),
                                   static_cast<const GradientMode*>(&values_only)}) {
    SolveOptions options = options_of_rows(1e-6, {0.1, 0.5, 0.5, 0.9});
    options.gradient = mode;
    const Var<double> y0 = tape.input(Tensor<double>{{4.0}, {5.0}});
    const Solution<double> s = solve(Field<double>(squares<double>), y0, {0, 1}, options);
    REQUIRE(s.states.size() == 4);
    CHECK(s.states[0].value().data()[0] == doctest::Approx(4 / 0.6).epsilon(1e-4));
    CHECK(s.states[0].value().data()[1] == doctest::Approx(5 / 0.5).epsilon(1e-4));
    for (const Var<double>& y : {s.states[1], s.states[2], s.states[3], s.y}) {
      CHECK(std::isnan(y.value().data()[0]));
      CHECK(std::isnan(y.value().data()[1]));
    }
  }
}

TEST_CASE("failing rows: the limit of steps is of each row, for all save times together") {
  Tape<double> tape;
  const Var<double> y0 = tape.input(Tensor<double>{{0.0, 50.0}, {0.0, 1.0}});
  SolveOptions options = options_of_rows(1e-6, {});
  const Field<double> f(waves<double>);
  const Solution<double> all = solve(f, y0, {0, 1}, options);
  REQUIRE(all.report.status == Status::success);
  options.max_steps = all.rows[0].accepted + all.rows[0].rejected - 5;
  options.save_at = {0.5, 0.6, 0.7, 0.8, 0.9};
  const Solution<double> s = solve(f, y0, {0, 1}, options);
  CHECK(s.rows[0].status == Status::max_steps);
  CHECK(s.rows[0].accepted + s.rows[0].rejected == options.max_steps);
  CHECK(s.states[0].value().data()[0] == doctest::Approx(std::sin(25)).epsilon(1e-4));
  CHECK(s.rows[1].status == Status::success);
  CHECK(s.y.value().data()[1] == doctest::Approx(std::sin(1)).epsilon(1e-5));
}

TEST_CASE("failing rows: a loss over the others has its gradient, one over them NaN") {
  const Tensor<double> start{{1.0, 5.0}, {2.0, 0.4}, {0.5, 2.0}};
  const std::vector<double> times{0.2, 0.4, 0.7, 1};
  for (const Method* method : {&dormand_prince, &cash_karp, &dop853}) {
    CAPTURE(std::string(method->name()));
    Tape<double> tape;
    const Var<double> y0 = tape.input(start);
    const Var<double> w = tape.input(Tensor<double>{{2.0}});
    SolveOptions options = options_of_rows(1e-10, {0.2, 0.4, 0.7});
    options.method = method;
    const Solution<double> s = solve(roots(w), y0, {0, 1}, options);
    CHECK(s.rows[1].status == Status::non_finite);
    for (std::size_t k = 0; k < times.size(); ++k) {
      CAPTURE(times[k]);
      const Var<double>& y = k < 3 ? s.states[k] : s.y;
      const auto loss = [&](std::vector<Index> rows) {
        const Tensor<Index> places = Tensor<Index>::from({static_cast<Index>(rows.size())}, rows);
        return sum(slice(take(y, places, 0), 1, 0, 1));
      };
      const auto slopes = gradient_values(loss({0, 2}), {y0, w});
      double of_w = 0;
      for (const Index i : {0, 2}) {
        const double c = start.data()[3 + i];
        of_w += integral(c, times[k]);
        CHECK(slopes[0].data()[i] == doctest::Approx(1).epsilon(1e-9));
        CHECK(slopes[0].data()[3 + i] ==
              doctest::Approx(2 * (std::sqrt(c) - std::sqrt(c - times[k]))).epsilon(1e-6));
      }
      CHECK(slopes[0].data()[1] == 0);
      CHECK(slopes[0].data()[4] == 0);
      CHECK(slopes[1].data()[0] == doctest::Approx(of_w).epsilon(1e-7));
      const Var<double> slope =
          sum(slice(pullback<double>({loss({0, 2})}, {tape.scalar(1.0)}, {y0})[0], 1, 1, 2));
      const auto second = gradient_values(slope, {y0});
      for (const Index i : {0, 2}) {
        const double c = start.data()[3 + i];
        CHECK(second[0].data()[3 + i] ==
              doctest::Approx(1 / std::sqrt(c) - 1 / std::sqrt(c - times[k])).epsilon(1e-5));
      }
      if (k < 2) continue;
      const auto failed = gradient_values(loss({0, 1}), {y0, w});
      CHECK(std::isnan(loss({0, 1}).item()));
      CHECK(std::isnan(failed[0].data()[1]));
      CHECK(std::isnan(failed[1].data()[0]));
    }
  }
}

TEST_CASE("failing rows: gradients do not see what was infinite in a step that was made shorter") {
  // y' = -w y^3: y = y0 / sqrt(1 + 2 w t y0^2), from steps that overflow at first.
  Tape<double> tape;
  const Tensor<double> start{{1e3}, {0.5}, {-0.1}};
  const Var<double> y0 = tape.input(start);
  const Var<double> w = tape.input(Tensor<double>{{1.5}});
  const auto f = [&](const Var<double>&, const Var<double>& y) {
    return -matmul(y * square(y), w);
  };
  SolveOptions options = options_of_rows(1e-10, {});
  options.first_step = 0.1;
  const Solution<double> s = solve(f, y0, {0, 1}, options);
  REQUIRE(s.report.status == Status::success);
  const auto slopes = gradient_values(sum(s.y), {y0, w});
  double of_w = 0;
  for (Index i = 0; i < 3; ++i) {
    const double y = start.data()[i];
    const double root = std::sqrt(1 + 3 * y * y);
    CHECK(s.y.value().data()[i] == doctest::Approx(y / root).epsilon(1e-7));
    CHECK(slopes[0].data()[i] == doctest::Approx(std::pow(root, -3)).epsilon(1e-5));
    of_w -= std::pow(y / root, 3);
  }
  CHECK(slopes[1].data()[0] == doctest::Approx(of_w).epsilon(1e-6));
}

}  // namespace
}  // namespace fjord::ode
