#include "fjord/autodiff/record/push_order.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/custom.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {

using namespace record;

namespace {

// Longer than what is taken for short.
constexpr int power = 6'000;
constexpr double at = 1.0001;

// x^power, a node for each factor.
Var<double> long_power(const Var<double>& x) {
  Var<double> y = x;
  for (int i = 1; i < power; ++i) y = y * x;
  return y;
}

double gradient_at(const Var<double>& y, const Var<double>& x) {
  return gradient_values<double>(y, std::span(&x, 1))[0].item();
}

// Rounding of as many factors.
doctest::Approx close_to(double value) {
  return doctest::Approx(value).epsilon(1e-11);
}

}  // namespace

TEST_CASE("push_order: a backward sweep over a long forward one gives the second derivative") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Var<double> y = long_power(x);
  const Var<double> slope = pushforward(x, tape.scalar(3), y);
  CHECK(gradient_at(slope, x) == close_to(3.0 * power * (power - 1) * std::pow(at, power - 2)));
  CHECK(gradient_at(y * slope, x) ==
        close_to(3.0 * power * (2 * power - 1) * std::pow(at, 2 * power - 2)));
}

TEST_CASE("push_order: a tangent may itself depend on the inputs") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Var<double> y = long_power(x);
  const Var<double> along = pushforward(x, y * x, y);  // n x^(n-1) x^(n+1)
  CHECK(gradient_at(along, x) == close_to(2.0 * power * power * std::pow(at, 2 * power - 1)));
}

TEST_CASE("push_order: a tangent that is one of the nodes") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Var<double> y = long_power(x);
  const Var<double> along = pushforward(x, y, y);  // n x^(n-1) x^n
  CHECK(gradient_at(along, x) == close_to(power * (2.0 * power - 1) * std::pow(at, 2 * power - 2)));
}

// Whatever its values, an operation whose derivative is said to be a later node.
struct ReadsLater {
  static inline Var<double> later;

  static Var<double> apply(const Var<double>& x) {
    const auto [var, value] = append_operation(x.tape(), row, {x}, NodeShape{});
    *value = x.item();
    return var;
  }

  static void pullback(Reverse<double>& rule) { rule.add(0, later * rule.cotangent()); }

  static bool pushforward(Forward<double>& rule) {
    rule.set(later * rule.tangent(0));
    return true;
  }

  static constexpr Operation<double> row{"reads_later", pullback, pushforward};
};

TEST_CASE("push_order: a rule that reads a later node of the tape") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Var<double> y = ReadsLater::apply(x);
  ReadsLater::later = long_power(x);
  CHECK(gradient_at(pushforward(x, tape.scalar(1), y * 1.0), x) ==
        close_to(power * std::pow(at, power - 1)));
}

TEST_CASE("push_order: a rule that sweeps forward itself during the backward sweep") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const auto square_of = [](const Var<double>& v) { return v * v; };
  const auto rule = [&](const Var<double>& v, const Var<double>&, const Var<double>& derivative) {
    return jvp(square_of, v, derivative);
  };
  const Var<double> y = long_power(x);
  const Var<double> slope = pushforward(x, tape.scalar(1), y * custom(square_of, rule, rule)(x));
  const double n = power + 2;
  for (int sweep = 0; sweep < 2; ++sweep)
    CHECK(gradient_at(slope, x) == close_to(n * (n - 1) * std::pow(at, n - 2)));
}

TEST_CASE("push_order: two forward sweeps over the same nodes, and one over the other") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Var<double> y = long_power(x);
  const Var<double> first = pushforward(x, tape.scalar(1), y);
  const Var<double> again = pushforward(x, tape.scalar(2), y);
  const double second = power * (power - 1.0) * std::pow(at, power - 2);
  CHECK(gradient_at(first + again, x) == close_to(3 * second));
  const Var<double> curvature = pushforward(x, tape.scalar(1), first);
  CHECK(gradient_at(curvature, x) == close_to(second * (power - 2) / at));
  CHECK(gradient_at(again, x) == close_to(2 * second));
}

TEST_CASE("push_order: what was noted of nodes that ended is forgotten") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Tape<double>::Mark mark = tape.mark();
  const Var<double> ended = long_power(x);
  static_cast<void>(pushforward(x, tape.scalar(1), ended));
  const std::size_t end = tape.size();
  tape.rewind(mark);
  // In place of the tangents, nodes that all depend on the last of the others.
  const Var<double> y = long_power(x);
  const Var<double> one = tape.scalar(1);
  Var<double> sum_of_y = y * one;
  int count = 1;
  for (; tape.size() < end; ++count) sum_of_y = sum_of_y + y;
  CHECK(gradient_at(sum_of_y, x) == close_to(count * power * std::pow(at, power - 1)));
}

TEST_CASE("push_order: a sweep over part of the nodes") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(at);
  const Var<double> y = long_power(x);
  const Var<double> square_of_y = y * y;
  const Var<double> slope = pushforward(x, tape.scalar(1), square_of_y);
  // With respect to y alone: of 2 y dy/dx.
  CHECK(gradient_at(slope, y) == close_to(2 * power * std::pow(at, power - 1)));
}

}  // namespace fjord
