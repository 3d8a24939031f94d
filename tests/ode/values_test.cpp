/// Solves that keep their values only: every derivative through them is refused.
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/ode/captured.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"

namespace fjord::ode {
namespace {

using test::solve_values;

using Number = Var<double>;

template <class F>
void refuses(F derivative) {
  CHECK_THROWS_WITH_AS(
      derivative(),
      doctest::Contains(
          "[solve] this solve kept no steps, so that no "
          "derivative runs through it; give SolveOptions::gradient, or the Context of a flow"),
      std::invalid_argument);
}

/// y' = -w y for w from outside, without recording.
Number end_of(const Number& y0, const Number& w, double t1 = 1) {
  const Field<double> f = [w](const Number& t, const Number& y) {
    return t.item() < 0.9 ? -y * w : -y * w * w;
  };
  return solve_values(f, y0, {0, t1}).y;
}

TEST_CASE("values: every derivative in the state and in what the field uses is refused") {
  Tape<double> tape;
  const Number y0 = tape.input(Tensor<double>{1.0, 2.0});
  const Number w = tape.scalar(0.5);
  const Number one = tape.scalar(1.0);
  const Number ones = tape.input(Tensor<double>{1.0, 1.0});
  for (const double t1 : {0.0, 1.0}) {
    const Number y = end_of(y0, w, t1);
    const Number loss = sum(square(y));
    refuses([&] { gradient_values<double>(loss, std::vector{y0}); });
    refuses([&] { pullback<double>({loss}, {one}, {y0}); });
    refuses([&] { partial_pullback<double>({loss}, {one}, {y0}); });
    refuses([&] { pushforward(y0, ones, loss); });
    refuses([&] { pushforward_values<double>({y0}, {ones}, {y}); });
    refuses([&] { jacobians_of<double>(y, {y0}); });
    refuses([&] { jacobian_diagonal_of(y, y0); });
    if (t1 == 0) continue;
    refuses([&] { gradient_values<double>(loss, std::vector{w}); });
    refuses([&] { pullback<double>({loss}, {one}, {w}); });
    refuses([&] { pushforward(w, one, loss); });
  }
  const auto loss = [&](const Number& at) { return sum(square(end_of(at, w))); };
  const auto loss_in_w = [&](const Number& at) { return sum(square(end_of(y0, at))); };
  refuses([&] { gradient(loss, y0); });
  refuses([&] { jvp(loss, y0, ones); });
  refuses([&] { vjp(loss, y0, one); });
  refuses([&] { hvp(loss, y0, ones); });
  refuses([&] { hessian(loss, y0); });
  refuses([&] { hessian_diagonal(loss, y0); });
  refuses([&] { jacobian(loss, y0); });
  refuses([&] { derivative(loss_in_w, w); });
  refuses([&] { gradient(loss_in_w, w); });
  // Inside of another derivative, a checkpoint, and next to paths that have derivatives.
  refuses([&] { gradient([&](const Number& at) { return sum(at * gradient(loss, at)); }, y0); });
  refuses([&] { gradient([&](const Number& at) { return checkpoint(loss, at); }, y0); });
  refuses([&] { gradient([&](const Number& at) { return sum(at) + loss(at); }, y0); });
}

TEST_CASE("values: so are those of outputs and events in what their functions use") {
  // y' = -y, v times which is saved, and whose sum is looked for at v.
  const Field<double> f = [](const Number&, const Number& y) { return -y; };
  const Parameter<double> parameter(Tensor<double>{2.0});
  for (const bool binds : {false, true}) {
    Tape<double> tape;
    const Number outside = binds ? Number() : tape.input(Tensor<double>{2.0});
    const auto v = [&] { return binds ? tape.bind(parameter) : outside; };
    SolveOptions options;
    options.gradient = &values_only;
    options.save_at = {0, 0.5, 1};
    Problem<double> problem{f, tape.input(Tensor<double>{1.0, 2.0}), {0, 1}};
    problem.output = [&](const Number&, const Number& y) { return v() * y; };
    const auto check_states = [&] {
      const Solution<double> s = solve(problem, options);
      for (std::size_t k = 0; k < 3; ++k) {
        const Number loss = sum(s.states[k]);
        CHECK(loss.item() == doctest::Approx(6 * std::exp(-options.save_at[k])).epsilon(1e-5));
        refuses([&] { gradient_values<double>(loss, std::vector{v()}); });
      }
    };
    check_states();
    options.separate_rows = true;
    check_states();
    options = {};
    options.gradient = &values_only;
    problem.output = {};
    problem.events = {{[&](const Number&, const Number& y) { return sum(y) - v(); }}};
    const Solution<double> s = solve(problem, options);
    REQUIRE(s.occurrences.size() == 1);
    CHECK(s.occurrences[0].t.item() == doctest::Approx(std::log(1.5)).epsilon(1e-5));
    refuses([&] { gradient_values<double>(s.occurrences[0].t, std::vector{v()}); });
    refuses([&] { gradient_values<double>(sum(s.occurrences[0].y), std::vector{v()}); });
  }
}

TEST_CASE("values: derivatives that do not run through the solve are what they are") {
  Tape<double> tape;
  const Number y0 = tape.scalar(1.0);
  const Number w = tape.scalar(0.5);
  const Number factor = tape.scalar(3.0);
  const Number y = end_of(y0, w) * factor;
  CHECK(gradient_values<double>(y, std::vector{factor})[0].item() == y.item() / 3);
  CHECK(pushforward(factor, tape.scalar(1.0), y).item() == y.item() / 3);
  const Number other = tape.scalar(2.0);
  CHECK(gradient_values<double>(y, std::vector{other})[0].item() == 0);
}

TEST_CASE("values: the caller may say what to do instead") {
  Tape<double> tape;
  const Number y0 = tape.scalar(1.0);
  const Field<double> f = [](const Number&, const Number& y) { return -y; };
  const Number y = solve_values(f, y0, {0, 1}, {}, ValuesOnly("ask for the tea")).y;
  CHECK_THROWS_WITH_AS(gradient_values<double>(y, std::vector{y0}),
                       doctest::Contains("; ask for the tea"), std::invalid_argument);
}

TEST_CASE("values: what a field uses is found once each, whatever the order") {
  Tape<double> tape;
  const Number a = tape.scalar(1.0);
  const Number b = tape.scalar(2.0);
  const Number c = tape.scalar(3.0);
  Captured<double> captured(tape);
  const Number y = tape.scalar(1.0);
  int call = 0;
  const Field<double> f = [&](const Number&, const Number& at) {
    ++call;
    return call == 1 ? at * a + b : call == 2 ? at * c + a : a;
  };
  for (int i = 0; i < 6; ++i) captured.evaluate(f, y, y);
  REQUIRE(captured.vars().size() == 3);
  CHECK(captured.vars()[0].index() == a.index());
  CHECK(captured.vars()[1].index() == b.index());
  CHECK(captured.vars()[2].index() == c.index());
}

}  // namespace
}  // namespace fjord::ode
