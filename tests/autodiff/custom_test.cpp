#include "fjord/autodiff/custom.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

namespace fjord {
namespace {

using Number = Var<double>;
using Pair = std::pair<Number, Number>;

// The error function, which no operation gives, from the standard library's; its slope is known.
template <class T>
Var<T> erf_value(const Var<T>& x) {
  Tensor<T> numbers(x.value());
  for (T& number : numbers.storage()) number = std::erf(number);
  return x.tape().input(numbers);
}

template <class T>
Var<T> erf_product(const Var<T>& x, const Var<T>& g) {
  return scale(g, exp(-square(x)) * static_cast<T>(2 / std::sqrt(std::acos(-1.0))));
}

const auto erf_rule = [](const auto& x, const auto&, const auto& g) { return erf_product(x, g); };

// (a sin b, a b), by operations and by rules that use the outputs, too.
Pair pair_of(const Pair& x) {
  return {x.first * sin(x.second), x.first * x.second};
}

const auto pair_vjp = [](const Pair& x, const Pair& y, const Pair& g) {
  const auto& [a, b] = x;
  return Pair{g.first * y.first / a + g.second * b, g.first * a * cos(b) + g.second * y.second / b};
};
const auto pair_jvp = [](const Pair& x, const Pair& y, const Pair& v) {
  const auto& [a, b] = x;
  return Pair{v.first * y.first / a + v.second * a * cos(b), v.first * b + v.second * a};
};

template <class Operation>
double worst_of_pair(const Operation& operation) {
  const CheckedFunctions f = [&](const Vars<double>& in) {
    const Pair y = operation(Pair{in[0], in[1]});
    return Vars<double>{y.first, y.second};
  };
  return check_gradient(f, {{0.5, -1.2, 2}, {1.1, 0.4, -0.7}}).worst();
}

TEST_CASE(
    "custom: two inputs and two outputs are right in every nesting, whichever rule is there") {
  CHECK(worst_of_pair(pair_of) < 1e-9);  // what the operations themselves reach
  CHECK(worst_of_pair(custom(pair_of, pair_vjp, pair_jvp)) < 1e-9);
  CHECK(worst_of_pair(custom(pair_of, pair_vjp)) < 1e-9);
  CHECK(worst_of_pair(custom(pair_of, nullptr, pair_jvp)) < 1e-9);
}

TEST_CASE("custom: a rule that is wrong is seen by the check") {
  const auto wrong = [](const Pair& x, const Pair& y, const Pair& g) {
    return Pair{pair_vjp(x, y, g).first, g.second * x.first};
  };
  CHECK(worst_of_pair(custom(pair_of, wrong)) > 0.1);
  CHECK(worst_of_pair(custom(pair_of, wrong, pair_jvp)) > 0.1);
}

TEST_CASE_TEMPLATE("custom: a value from numbers has the derivatives of its rule", T, float,
                   double) {
  // d erf = 2 / sqrt(pi) exp(-x^2), d^2 = -2 x d, d^3 = (4 x^2 - 2) d.
  Tape<T> tape;
  const double x = 0.6;
  const double slope = 2 / std::sqrt(std::acos(-1.0)) * std::exp(-x * x);
  const double derivatives[] = {std::erf(x), slope, -2 * x * slope, (4 * x * x - 2) * slope};
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-15;
  const auto by_vjp = custom("erf", erf_value<T>, erf_rule);
  const auto by_jvp = custom("erf", erf_value<T>, nullptr, erf_rule);
  const auto check = [&](const auto& f) {
    for (int order = 0; order <= 3; ++order) {
      const Var<T> forward = derivative(f, tape.scalar(static_cast<T>(x)), order);
      CHECK(std::abs(forward.item() - derivatives[order]) < tolerance);
    }
    const auto once = [&](const Var<T>& v) { return gradient(f, v); };
    const auto twice = [&](const Var<T>& v) { return gradient(once, v); };
    const Var<T> third = gradient(twice, tape.scalar(static_cast<T>(x)));
    CHECK(std::abs(third.item() - derivatives[3]) < tolerance);
  };
  check(by_vjp);
  check(by_jvp);
  check(custom("erf", erf_value<T>, erf_rule, erf_rule));
}

TEST_CASE("custom: stacked tangents and sweeps of values go through the rules") {
  const auto f = [](const Number& x) {
    return sum(square(custom(erf_value<double>, erf_rule)(x)));
  };
  const auto plain = [](const Number& x) { return sum(x * x); };
  Tape<double> tape;
  const Number x = tape.input({0.3, -0.8});
  const Number y = f(x);
  const Tensor<double> values(gradient_values<double>(y, std::span(&x, 1))[0]);
  const Tensor<double> whole(hessian(f, x).value());
  for (Index i = 0; i < 2; ++i) {
    const double at = i == 0 ? 0.3 : -0.8;
    const double slope = 2 / std::sqrt(std::acos(-1.0)) * std::exp(-at * at);
    CHECK(std::abs(values(i) - 2 * std::erf(at) * slope) < 1e-15);
    CHECK(std::abs(whole(i, i) - 2 * slope * (slope - 2 * at * std::erf(at))) < 1e-14);
    CHECK(whole(i, 1 - i) == 0);
  }
  CHECK(hessian(plain, x).shape() == whole.shape());
}

TEST_CASE("custom: a rule need not be that of the value") {
  // The straight-through estimator: rounds, and passes cotangents as they are.
  const auto round = custom(
      "round",
      [](const Number& x) {
        Tensor<double> numbers(x.value());
        for (double& number : numbers.storage()) number = std::round(number);
        return x.tape().input(numbers);
      },
      [](const Number&, const Number&, const Number& g) { return g; });
  Tape<double> tape;
  const Number x = tape.input({0.4, 1.6});
  const auto f = [&](const Number& v) { return sum(square(round(v))); };
  CHECK(Tensor<double>(gradient(f, x).value()) == Tensor<double>{0, 4});
  CHECK(Tensor<double>(jvp(round, x, tape.input({3, 5})).value()) == Tensor<double>{3, 5});
}

TEST_CASE_TEMPLATE("custom: a rule of which rounding alone is left can be transposed", T, float,
                   double) {
  // Deviations from the mean add up to 0.
  const auto total = [](const Var<T>& x) { return sum(x - mean(x)); };
  const auto rule = [&](const Var<T>&, const Var<T>&, const Var<T>& v) { return total(v); };
  const auto by_jvp = custom("mine", total, nullptr, rule);
  Tape<T> tape;
  for (Index n = 2; n < 12; ++n) {
    CAPTURE(n);
    const Tensor<T> slope(gradient(by_jvp, tape.input(Tensor<T>::full({n}, T(0.3)))).value());
    for (Index i = 0; i < n; ++i) CHECK(std::abs(slope(i)) <= std::numeric_limits<T>::epsilon());
  }
}

TEST_CASE("custom: the tape keeps the result alone, and the rules as long as the result") {
  Tape<double> tape;
  const Number x = tape.input(Tensor<double>::full({1000}, 0.5));
  const auto guard = std::make_shared<int>(0);
  const auto operation = custom(
      [](Number y) {
        for (int i = 0; i < 100; ++i) y = sin(y);
        return y;
      },
      [guard](const Number&, const Number&, const Number& g) { return g; });
  const long owners = guard.use_count();
  const std::size_t before = tape.size();
  const Tape<double>::Mark mark = tape.mark();
  const Number y = operation(x);
  CHECK(tape.size() == before + 1);
  CHECK(guard.use_count() == owners + 1);
  double expected = 0.5;
  for (int i = 0; i < 100; ++i) expected = std::sin(expected);
  CHECK(y.value()(999) == doctest::Approx(expected).epsilon(1e-13));
  tape.rewind(mark);
  CHECK(guard.use_count() == owners);
}

TEST_CASE("custom: a parameter bound in the value stays bound, and is constant to it") {
  Tape<double> tape;
  Parameter<double> weight(3.0);
  const auto operation =
      custom([&](const Number& x) { return x * tape.bind(weight); },
             [](const Number&, const Number&, const Number& g) { return g * 3; });
  const Number x = tape.scalar(2);
  const Number y = operation(x);
  const Number bound = tape.bind(weight);
  CHECK(bound.index() < y.index());
  CHECK(y.item() == 6);
  const Vars<double> slopes = pullback<double>({y}, {tape.scalar(1)}, {x, bound});
  CHECK(slopes[0].item() == 3);
  CHECK(slopes[1].item() == 0);
}

TEST_CASE("custom: mistakes are errors in the operation's name") {
  Tape<double> tape;
  const Number x = tape.input({1, 2});
  const auto square_of = [](const Number& v) { return v * v; };
  CHECK_THROWS_WITH_AS(custom("mine", square_of, nullptr),
                       "[mine] a rule is needed: give vjp, jvp or both", std::invalid_argument);
  const auto total = [](const auto& operation) {
    return [&operation](const Number& v) { return sum(operation(v)); };
  };
  // A rule from numbers is right by itself, but nothing can be transposed.
  const auto from_numbers = [](const Number& v, const Number&, const Number& g) {
    Tensor<double> product(g.value());
    for (Index i = 0; i < product.size(); ++i) product(i) *= 2 * v.value()(i);
    return v.tape().input(product);
  };
  const auto raw = custom("mine", square_of, from_numbers);
  CHECK(Tensor<double>(gradient(total(raw), x).value()) == Tensor<double>{2, 4});
  CHECK_THROWS_WITH_AS(jvp(raw, x, x),
                       "[mine] jvp was left out, and the other rule cannot give it: that must be "
                       "linear in its last argument and written in operations on it",
                       std::invalid_argument);
  const auto bent = custom("mine", square_of, nullptr,
                           [](const Number&, const Number&, const Number& v) { return v * v; });
  CHECK_THROWS_WITH_AS(gradient(total(bent), x),
                       "[mine] vjp was left out, and the other rule cannot give it: that must be "
                       "linear in its last argument and written in operations on it",
                       std::invalid_argument);
  const auto misshapen = custom(
      "mine", square_of, [](const Number&, const Number&, const Number& g) { return sum(g); });
  CHECK_THROWS_WITH_AS(gradient(total(misshapen), x),
                       "[mine] its rule must give a cotangent of shape [2] for input 0, got []",
                       std::invalid_argument);
  const auto list = [](const Vars<double>& v) { return v; };
  const auto short_rule = [](const Vars<double>&, const Vars<double>&, const Vars<double>& g) {
    return Vars<double>{g[0]};
  };
  const auto short_list = custom("mine", list, short_rule);
  const auto use = [&](const Vars<double>& v) { return sum(short_list(v)[1]); };
  CHECK_THROWS_WITH_AS(gradient(use, Vars<double>{x, x}),
                       "[mine] its rule must give 2 variables, got 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(short_list(Vars<double>()), "[mine] at least one variable is needed",
                       std::invalid_argument);
  CHECK_THROWS_AS(raw(Number()), std::invalid_argument);
}

TEST_CASE("custom: a value that throws leaves the tape as it was") {
  Tape<double> tape;
  const Number x = tape.scalar(1);
  const auto failing = custom(
      [](const Number& v) -> Number {
        static_cast<void>(exp(v));
        throw std::runtime_error("no value");
      },
      [](const Number&, const Number&, const Number& g) { return g; });
  CHECK_THROWS_WITH(failing(x), "no value");
  CHECK(tape.size() == 1);
  CHECK(exp(x * 0).item() == 1);
}

TEST_CASE("custom: variables that a rule uses from outside are constants in every order") {
  Tape<double> tape;
  const Number w = tape.scalar(3);
  const Number v = tape.scalar(5);
  const auto scale = [=](const Number& a) { return a * w; };
  const auto rule = [=](const Number&, const Number&, const Number& d) { return d * w; };
  const auto returns = [=](const Number&, const Number&, const Number&) { return w; };
  const auto deep = [=](const Number& a, const Number&, const Number& d) {
    // Through a derivative, a checkpoint and another operation.
    const auto inner = [=](const Number& b) { return b * w * v; };
    return d * gradient([&](const Number& b) { return checkpoint(inner, b); }, a) * (w / (w * v));
  };
  const auto check = [&](const auto& operation) {
    const auto all_zero = [&](const Number& y) {
      for (const Number& outside : {w, v}) {
        if (pullback<double>({y}, {tape.scalar(1)}, {outside})[0].item() != 0) return false;
        if (pushforward(outside, tape.scalar(1), y).item() != 0) return false;
        if (gradient_values<double>(y, std::span(&outside, 1))[0].item() != 0) return false;
      }
      return true;
    };
    const Number x = tape.scalar(2);
    const Number y = operation(x);
    CHECK(y.item() == 6);
    CHECK(all_zero(y));
    const Number reverse = pullback<double>({y}, {tape.scalar(1)}, {x})[0];
    CHECK(reverse.item() == doctest::Approx(3));
    CHECK(all_zero(reverse));
    const Number forward = pushforward(x, tape.scalar(1), y);
    CHECK(forward.item() == doctest::Approx(3));
    CHECK(all_zero(forward));
    CHECK(all_zero(pushforward(x, tape.scalar(1), square(x) * reverse)));
  };
  check(custom("op", scale, rule));
  check(custom("op", scale, rule, rule));
  check(custom("op", scale, nullptr, rule));
  check(custom("op", scale, returns, rule));
  check(custom("op", scale, deep));
  check(custom("op", scale, nullptr, deep));
}

TEST_CASE("custom: what a rule is given is not a constant, whatever it was computed from") {
  Tape<double> tape;
  const Number w = tape.scalar(3);
  const auto cube = custom(
      "cube", [](const Number& a) { return a * a * a; },
      [](const Number& a, const Number&, const Number& d) { return d * 3.0 * a * a; });
  // d/dx of w x^3 is 3 w x^2, and d/dw of that 3 x^2.
  const Number x = w * 2.0;
  const Number slope = pullback<double>({w * cube(x)}, {tape.scalar(1)}, {x})[0];
  CHECK(slope.item() == 3 * 3 * 36);
  CHECK(gradient_values<double>(slope, std::span(&w, 1))[0].item() == 3 * 36 + 3 * 3 * 2 * 6 * 2);
}

}  // namespace
}  // namespace fjord
