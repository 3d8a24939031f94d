#include "fjord/autodiff/checkpoint.hpp"

#include <cmath>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/custom.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

namespace fjord {
namespace {

using Number = Var<double>;
using Pair = std::pair<Number, Number>;

Pair pair_of(const Pair& x) {
  return {tanh(x.first * sin(x.second)), x.first * exp(x.second)};
}

TEST_CASE("checkpoint: inputs, variables from outside and results are right in every nesting") {
  const CheckedFunctions f = [](const Vars<double>& in) {
    const Number outer = in[2] * in[0];  // depends on an input, and is read from outside
    const auto inner = [outer, in](const Pair& x) {
      const Pair y = pair_of(x);
      return std::tuple<Number, Number, Number>{y.first * outer + in[0], y.second * in[2], in[2]};
    };
    const auto [a, b, c] = checkpoint(inner, Pair{in[0], in[1]});
    return Vars<double>{a * b, b, c};
  };
  const GradientCheck check =
      check_gradient(f, {{0.5, -1.2, 0.9}, {1.1, 0.4, -0.7}, {0.3, 0.8, -0.4}});
  CHECK(check.worst() < 1e-9);
  CHECK(check.second < 1e-12);
}

TEST_CASE("checkpoint: checkpoints within checkpoints, derivatives and own operations nest") {
  const auto sine =
      custom([](const Number& x) { return sin(x); },
             [](const Number& x, const Number&, const Number& g) { return g * cos(x); });
  const CheckedFunction f = [&](const Vars<double>& in) {
    const Number outside = square(in[1]);
    const auto outer = [=](const Number& x) {
      const Number between = x * outside;
      const auto inner = [=](const Number& y) { return sine(y) * between + y * in[1]; };
      const auto slope = [&](const Number& y) { return sum(checkpoint(inner, y)); };
      return checkpoint(inner, x * x) + gradient(slope, x);
    };
    return sum(checkpoint(outer, in[0]) * in[0]);
  };
  const GradientCheck check = check_gradient(f, {{0.5, -1.2}, {1.1, 0.4}});
  CHECK(check.worst() < 1e-9);
  CHECK(check.second < 1e-11);
}

TEST_CASE("checkpoint: the third derivative is that of the function") {
  // exp(2 x)''' = 8 exp(2 x), forward and reverse.
  Tape<double> tape;
  const auto f = [](const Number& x) {
    return checkpoint([](const Number& y) { return exp(y + y); }, x);
  };
  const auto once = [&](const Number& x) { return gradient(f, x); };
  const auto twice = [&](const Number& x) { return gradient(once, x); };
  const double expected = 8 * std::exp(0.6);
  CHECK(gradient(twice, tape.scalar(0.3)).item() == doctest::Approx(expected).epsilon(1e-14));
  CHECK(derivative(f, tape.scalar(0.3), 3).item() == doctest::Approx(expected).epsilon(1e-14));
}

TEST_CASE("checkpoint: a result that is itself a variable keeps the tangent that is given for it") {
  Tape<double> tape;
  const Number x = tape.scalar(0.5);
  const Number y = tape.scalar(0.3);
  const auto [a, b] = checkpoint(pair_of, Pair{x, y});
  const Vars<double> found =
      pushforward<double>({x, a}, {tape.scalar(1), tape.scalar(10)}, {a * b});
  CHECK(found[0].item() ==
        doctest::Approx(10 * b.item() + a.item() * std::exp(0.3)).epsilon(1e-15));
}

// A chain of 64 segments of 30 operations on 1000 numbers, and its gradient.
struct Chain {
  Tape<double> tape;
  Parameter<double> weight{Tensor<double>::full({1000}, 0.9)};

  template <class Segment>
  std::pair<Tensor<double>, Tensor<double>> gradients(const Segment& run) {
    const Number x = tape.input(Tensor<double>::full({1000}, 0.3));
    Number y = x;
    for (int i = 0; i < 64; ++i) y = run([this](const Number& at) { return segment(at); }, y);
    const Vars<double> inputs{x, tape.bind(weight)};
    const auto found = gradient_values<double>(sum(y), inputs);
    std::pair<Tensor<double>, Tensor<double>> result{Tensor<double>(found[0]),
                                                     Tensor<double>(found[1])};
    tape.clear();
    return result;
  }

  // Binds its parameter anew where a checkpoint ended the nodes of an earlier one.
  Number segment(Number x) {
    for (int i = 0; i < 10; ++i) x = sin(x) * tape.bind(weight) + 0.1;
    return x;
  }
};

TEST_CASE("checkpoint: a long chain takes a tenth of the memory and gives the same bits") {
  Chain plain;
  Chain checkpointed;
  const auto [x, weight] = plain.gradients([](const auto& f, const Number& at) { return f(at); });
  const auto apart = [](const auto& f, const Number& at) { return checkpoint(f, at); };
  const auto [x_again, weight_again] = checkpointed.gradients(apart);
  CHECK(x == x_again);
  CHECK(std::abs(weight(0)) > 1e-3);
  for (Index i = 0; i < 1000; ++i) {
    // Sums over segments are added up, not one sum over all: the last bits may differ.
    CHECK(std::abs(weight(i) - weight_again(i)) < 1e-13 * std::abs(weight(i)));
  }
  CHECK(checkpointed.tape.capacity() * 10 < plain.tape.capacity());
  // The results of a round are still held while the next one sweeps.
  checkpointed.gradients(apart);
  const std::size_t grown = checkpointed.tape.capacity();
  checkpointed.gradients(apart);
  CHECK(checkpointed.tape.capacity() == grown);
}

TEST_CASE("checkpoint: it is one node, and a sweep of values leaves no other") {
  Tape<double> tape;
  const Number x = tape.input({0.1, 0.2});
  int calls = 0;
  const auto f = [&calls](const Number& v) {
    ++calls;
    return sin(v) * v;
  };
  const Number y = checkpoint(f, x);
  CHECK(tape.size() == 2);
  CHECK(calls == 1);
  const std::vector<TensorView<double>> seeds{y.value()};
  static_cast<void>(pullback_values<double>(std::span(&y, 1), seeds, std::span(&x, 1)));
  CHECK(tape.size() == 2);
  CHECK(calls == 2);
}

TEST_CASE("checkpoint: a parameter first bound inside has its gradient, once and shared") {
  for (const bool is_bound_before : {false, true}) {
    CAPTURE(is_bound_before);
    Tape<double> tape;
    Parameter<double> p(2.0);
    Parameter<double> q(5.0);
    if (is_bound_before) static_cast<void>(tape.bind(q));
    const auto f = [&](const Number& v) { return v * tape.bind(p) * tape.bind(q); };
    const Number y = checkpoint(f, tape.scalar(3)) + checkpoint(f, tape.scalar(4));
    const Vars<double> bound{tape.bind(p), tape.bind(q)};
    const auto found = gradient_values<double>(y, bound);
    CHECK(found[0].item() == 35);
    CHECK(found[1].item() == 14);
    const Vars<double> recorded = pullback<double>({y}, {tape.scalar(1)}, bound);
    CHECK(recorded[0].item() == 35);
    CHECK(pushforward<double>({bound[0]}, {tape.scalar(1)}, {recorded[1]}).item() == 7);
    tape.clear();
    CHECK_NOTHROW(p.mutable_values());
  }
}

TEST_CASE("checkpoint: memory is flat over ten thousand rounds with own operations and labels") {
  Tape<double> tape;
  Parameter<double> weight(0.7);
  const auto sine =
      custom([](const Number& x) { return sin(x); },
             [](const Number& x, const Number&, const Number& g) { return g * cos(x); });
  const auto round = [&] {
    const Number x = tape.input({0.3, -0.8});
    const auto f = [&](const Number& at) { return sine(at * tape.bind(weight)); };
    const auto once = [&](const Number& at) { return sum(checkpoint(f, at)); };
    const Number slope = gradient(once, x);
    tape.label(slope, "slope");
    const Number bound = tape.bind(weight);
    const double result = gradient_values<double>(sum(slope), std::span(&bound, 1))[0].item();
    tape.clear();
    return result;
  };
  // The sum of w cos(w x), differentiated in w.
  const auto term = [](double x) { return std::cos(0.7 * x) - 0.7 * x * std::sin(0.7 * x); };
  const double first = round();
  CHECK(first == doctest::Approx(term(0.3) + term(-0.8)).epsilon(1e-14));
  CHECK(round() == first);
  const std::size_t grown = tape.capacity();
  bool is_same = true;
  for (int i = 0; i < 10'000; ++i) is_same &= round() == first;
  CHECK(is_same);
  CHECK(tape.capacity() == grown);
  CHECK_NOTHROW(weight.mutable_values());
}

TEST_CASE("checkpoint: mistakes are errors that say what is wrong") {
  Tape<double> tape;
  const Number x = tape.scalar(2);
  const Number a = tape.scalar(3);
  const Number b = tape.scalar(4);
  int calls = 0;
  const auto moody = [&](const Number& v) { return v * (calls++ == 0 ? a : b); };
  const Number y = checkpoint(moody, x);
  CHECK_THROWS_WITH_AS(
      gradient_values<double>(y, std::span(&x, 1)),
      "[checkpoint] the function must compute the same again, but it reads other variables",
      std::invalid_argument);
  CHECK(tape.size() == 4);
  const auto same = [](const Vars<double>& v) { return v; };
  CHECK_THROWS_WITH_AS(checkpoint(same, Vars<double>()),
                       "[checkpoint] at least one variable is needed", std::invalid_argument);
  const auto many = [](const Number& v) { return Vars<double>(65'536, v); };
  CHECK_THROWS_WITH_AS(checkpoint(many, x),
                       "[checkpoint] the function may give at most 65535 variables, got 65536",
                       std::invalid_argument);
  const auto failing = [](const Number& v) -> Number {
    static_cast<void>(exp(v));
    throw std::runtime_error("no value");
  };
  CHECK_THROWS_WITH(checkpoint(failing, x), "no value");
  CHECK(tape.size() == 4);
}

TEST_CASE("checkpoint: a function that gives something else the second time is an error") {
  const auto sweeps = [](const std::function<Vars<double>(const Number&, int call)>& f,
                         const char* message) {
    for (const char kind : {'v', 'r', 'f'}) {
      Tape<double> tape;
      const Number x = tape.input(Tensor<double>{1, 2, 3});
      int calls = 0;
      const Vars<double> y = checkpoint([&](const Number& at) { return f(at, calls++); }, x);
      const Number total = sum(y[0]);
      CAPTURE(kind);
      const auto sweep = [&] {
        if (kind == 'v') gradient_values<double>(total, std::span(&x, 1));
        if (kind == 'r') pullback<double>({total}, {tape.scalar(1)}, {x});
        if (kind == 'f') pushforward(x, x, total);
      };
      CHECK_THROWS_WITH_AS(sweep(), doctest::Contains(message), std::invalid_argument);
    }
  };
  sweeps(
      [](const Number& x, int call) {
        return Vars<double>{call == 0 ? square(x) : slice(square(x), 0, 0, 1)};
      },
      "[checkpoint] the function must compute the same again, but its result of shape [3] now has "
      "shape [1]");
  sweeps([](const Number& x, int call) { return Vars<double>(call == 0 ? 1 : 2, square(x)); },
         "[checkpoint] the function must compute the same again, but it gave 1 variables and now "
         "gives "
         "2");
  sweeps([](const Number& x, int call) { return Vars<double>(call == 0 ? 2 : 1, square(x)); },
         "[checkpoint] the function must compute the same again");
  Tape<double> other;
  sweeps(
      [&](const Number& x, int call) {
        return Vars<double>{call == 0 ? square(x) : other.input(Tensor<double>{1, 2, 3})};
      },
      "[checkpoint] the handle belongs to another tape");
  sweeps([](const Number& x, int call) { return Vars<double>{call == 0 ? square(x) : Number()}; },
         "[checkpoint] the handle is empty");
}

}  // namespace
}  // namespace fjord
