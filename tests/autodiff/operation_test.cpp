// User-defined operations, from public headers alone: what fjord/autodiff/operation.hpp promises.
#include "fjord/autodiff/operation.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

namespace fjord {
namespace {

using V = Var<double>;
using Values = std::vector<double>;

Values list(const TensorView<double>& view) {
  return Tensor<double>(view).to_vector();
}

// One output: x^p for a power p that is not a node. Its rules are operations of the same kind.
struct Power {
  static V apply(const V& x, double p) {
    Tape<double>& tape = x.tape();
    const Node<double> in = tape.node(x, "power");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(p));
    for (Index i = 0; i < in.shape.size; ++i) value[i] = std::pow(in.value[i], p);
    return var;
  }

  static V slope(const RecordedRule<double>& rule) {
    const auto p = rule.attributes<double>();
    return apply(rule.input(0), p - 1) * p;
  }

  static void pullback(Reverse<double>& rule) { rule.add(0, scale(rule.cotangent(), slope(rule))); }

  static bool pushforward(Forward<double>& rule) {
    rule.set(scale(rule.tangent(0), slope(rule)));
    return true;
  }

  static void pullback_values(ReverseKernel<double>& k) {
    const Target<double> target = k.target(0);
    if (!target) return;
    const auto p = k.attributes<double>();
    for (Index i = 0; i < k.size(); ++i) {
      const double part = k.cotangent()[i] * p * std::pow(k.input(0)[i], p - 1);
      target.data[i] = part + (target.fresh ? 0 : target.data[i]);
    }
  }

  static constexpr Operation<double> row{"power", pullback, pushforward, pullback_values};
};

// Two outputs of two shapes from two inputs: (a . b, a + b), vectors.
struct DotAndSum {
  static std::array<V, 2> apply(const V& a, const V& b) {
    Tape<double>& tape = a.tape();
    const Node<double> in_a = tape.node(a, "dot_and_sum");
    const Node<double> in_b = tape.node(b, "dot_and_sum");
    const auto [dot, sum] =
        append_operation<double, 2>(tape, row, {a, b}, {NodeShape{}, in_a.shape});
    *dot.value = 0;
    for (Index i = 0; i < in_a.shape.size; ++i) {
      *dot.value += in_a.value[i] * in_b.value[i];
      sum.value[i] = in_a.value[i] + in_b.value[i];
    }
    return {dot.var, sum.var};
  }

  static void pullback(Reverse<double>& rule) {
    for (const std::uint32_t i : {0U, 1U}) {
      if (!rule.wants(i)) continue;
      if (!rule.cotangent(0).is_empty()) {
        rule.add(i,
                 scale(broadcast_to(rule.cotangent(0), rule.input(i).shape()), rule.input(1 - i)));
      }
      if (!rule.cotangent(1).is_empty()) rule.add(i, rule.cotangent(1));
    }
  }

  static bool pushforward(Forward<double>& rule) {
    if (rule.stack() > 0) return false;
    V dot;
    V total;
    for (const std::uint32_t i : {0U, 1U}) {
      const V t = rule.tangent(i);
      if (t.is_empty()) continue;
      const V part = sum(scale(t, rule.input(1 - i)));
      dot = dot.is_empty() ? part : dot + part;
      total = total.is_empty() ? t : total + t;
    }
    if (rule.wants(0)) rule.set(0, dot);
    if (rule.wants(1)) rule.set(1, total);
    return true;
  }

  static constexpr Operation<double> row{"dot_and_sum", pullback, pushforward};
};

// f of x that keeps nothing but x: the reverse sweep records f again, sweeps over it, and forgets
// it.
template <class F>
struct Checkpoint {
  static V apply(const V& x) {
    Tape<double>& tape = x.tape();
    Tensor<double> value;
    {
      const RewindScope<double> scope(tape);
      value = Tensor<double>(F::apply(x).value());
    }
    const auto [var, out] = append_operation(tape, row, {x}, tape.keep_shape(value.shape()));
    std::copy(value.storage().begin(), value.storage().end(), out);
    return var;
  }

  static void pullback(Reverse<double>& rule) {
    const V x = identity(rule.input(0));
    rule.add(0, fjord::pullback<double>({F::apply(x)}, {rule.cotangent()}, {x})[0]);
  }

  static bool pushforward(Forward<double>& rule) {
    const V x = identity(rule.input(0));
    rule.set(fjord::pushforward(x, rule.tangent(0), F::apply(x)));
    return true;
  }

  static void pullback_values(ReverseKernel<double>& k) {
    const Target<double> target = k.target(0);
    if (!target) return;
    Tape<double>& tape = k.tape();
    const RewindScope<double> scope(tape);
    const V x = identity(tape.var(k.node().inputs[0]));
    const V y = F::apply(x);
    const TensorView<double> g(k.cotangent(), y.shape(), Order::column_major);
    const TensorView<double> result =
        fjord::pullback_values<double>(std::span(&y, 1), std::span(&g, 1), std::span(&x, 1))[0];
    for (Index i = 0; i < result.shape().size(); ++i) {
      target.data[i] = result.data()[i] + (target.fresh ? 0 : target.data[i]);
    }
  }

  static constexpr Operation<double> row{"checkpoint", pullback, pushforward, pullback_values};
};

struct Wave {
  static V apply(const V& x) { return sin(x * x) * exp(x); }
};

double worst(const CheckedFunction& f, const std::vector<Tensor<double>>& at) {
  return check_gradient(f, at).worst();
}

TEST_CASE("operation: one with attributes and a kernel is right in every nesting") {
  CHECK(worst([](const Vars<double>& x) { return Power::apply(x[0], 3.5); },
              {{{0.5, 1.5, 2}, {1, 0.8, 3}}}) < 1e-9);
  CHECK(worst([](const Vars<double>& x) { return Power::apply(x[0], 3) * Power::apply(x[0], -1); },
              {{1.5, 2}}) < 1e-9);
}

TEST_CASE("operation: one with two outputs is right whichever of them is used") {
  const std::vector<Tensor<double>> at{{1, 2, -1}, {0.5, -2, 3}};
  CHECK(worst([](const Vars<double>& x) { return DotAndSum::apply(x[0], x[1])[0]; }, at) < 1e-9);
  CHECK(worst([](const Vars<double>& x) { return exp(DotAndSum::apply(x[0], x[1])[1]); }, at) <
        1e-8);
  const auto both = [](const Vars<double>& x) {
    const std::array<V, 2> out = DotAndSum::apply(x[0], x[1]);
    return sin(out[0]) * out[1] * x[0];
  };
  CHECK(worst(both, at) < 1e-8);
  const auto same = [&](const Vars<double>& x) { return both({x[0], x[0]}); };
  CHECK(worst(same, {{0.3, 0.2, -0.1}}) < 1e-9);
}

TEST_CASE("operation: one that sweeps over a recording of its own is right in every nesting") {
  const auto f = [](const Vars<double>& x) { return Checkpoint<Wave>::apply(x[0]); };
  const auto nested = [](const Vars<double>& x) {
    return Checkpoint<Wave>::apply(Checkpoint<Wave>::apply(x[0] * 0.5) * x[0]);
  };
  CHECK(worst(f, {{0.2, -0.7, 1.1}}) < 1e-9);
  // It wiggles more, so the stencil's step is shorter.
  CHECK(check_gradient(nested, {{0.2, -0.7, 1.1}}, 5e-3).worst() < 1e-9);
}

TEST_CASE("operation: results of an outer sweep survive the sweeps inside its kernels") {
  Tape<double> tape;
  const V x = tape.input({0.2, -0.7, 1.1});
  const V direct = sum(Wave::apply(Wave::apply(x)));
  const V kept = sum(Checkpoint<Wave>::apply(Checkpoint<Wave>::apply(x)));
  const Values expected = list(gradient_values<double>(direct, std::span(&x, 1))[0]);
  const std::size_t size = tape.size();
  for (int i = 0; i < 3; ++i) {
    const Values got = list(gradient_values<double>(kept, std::span(&x, 1))[0]);
    for (std::size_t k = 0; k < 3; ++k) CHECK(std::abs(got[k] - expected[k]) < 1e-14);
    CHECK(tape.size() == size);
  }
}

TEST_CASE("operation: memory stays flat over sweeps that sweep inside") {
  Tape<double> tape;
  const auto round = [&] {
    const V x = tape.input(Tensor<double>::full({50}, 0.3));
    const V y = sum(Checkpoint<Wave>::apply(Checkpoint<Wave>::apply(x)));
    static_cast<void>(gradient_values<double>(y, std::span(&x, 1)));
    tape.clear();
  };
  round();
  const std::size_t grown = tape.capacity();
  for (int i = 0; i < 100; ++i) round();
  CHECK(tape.capacity() == grown);
}

// Wrong rules, to see that mistakes of an operation's author do not pass silently.
template <int mistake>
struct Wrong {
  static V apply(const V& x) {
    const Node<double> in = x.tape().node(x, "wrong");
    const auto [var, value] = append_operation(x.tape(), row, {x}, in.shape);
    std::copy_n(in.value, in.shape.size, value);
    return var;
  }

  static void pullback(Reverse<double>& rule) {
    rule.add(0, mistake == 0 ? sum(rule.cotangent()) : rule.cotangent());
  }

  static bool pushforward(Forward<double>& rule) {
    rule.set(mistake == 1 ? sum(rule.tangent(0)) : rule.tangent(0));
    return true;
  }

  static constexpr Operation<double> row{"wrong", pullback, pushforward};
};

TEST_CASE("operation: a rule that gives another shape is an error, not a wrong number") {
  Tape<double> tape;
  const V x = tape.input({1, 2});
  const V g = tape.input({1, 1});
  const TensorView<double> seed = g.value();
  const V bad_reverse = Wrong<0>::apply(x);
  const V bad_forward = Wrong<1>::apply(x);
  constexpr const char* reverse =
      "[wrong] its rule must give a cotangent of shape [2] for input 0, got []";
  CHECK_THROWS_WITH_AS(pullback<double>({bad_reverse}, {g}, {x}), reverse, std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      pullback_values<double>(std::span(&bad_reverse, 1), std::span(&seed, 1), std::span(&x, 1)),
      reverse, std::invalid_argument);
  CHECK_THROWS_WITH_AS(pushforward(x, g, bad_forward),
                       "[wrong] its rule must give a tangent of shape [2] for output 0, got []",
                       std::invalid_argument);
  const V stack = tape.input({{1, 2, 3}, {4, 5, 6}});
  CHECK_THROWS_WITH_AS(pushforward(x, stack, bad_forward),
                       "[wrong] its rule must give a tangent of shape [2, 3] for output 0, got []",
                       std::invalid_argument);
}

TEST_CASE("operation: handles are checked where an operation is appended") {
  Tape<double> tape;
  Tape<double> other;
  const V x = tape.scalar(1);
  const V foreign = other.scalar(1);
  const std::size_t size = tape.size();
  CHECK_THROWS_WITH_AS(
      append_operation<double>(tape, Power::row, {x, foreign}, NodeShape{}),
      "[power] the handle belongs to another tape; record all operands on one tape",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(append_operation<double>(tape, Power::row, {V()}, NodeShape{}),
                       "[power] the handle is empty: it was never given a node",
                       std::invalid_argument);
  CHECK(tape.size() == size);
}

// An operation with two outputs that fails between its append and its values, as a decomposition
// may.
struct Failing {
  static void apply(const V& x) {
    append_operation<double, 2>(x.tape(), row, {x}, {NodeShape{}, NodeShape{}});
    throw std::domain_error("no decomposition");
  }

  static void pullback(Reverse<double>& rule) { rule.add(0, rule.cotangent()); }

  static bool pushforward(Forward<double>& rule) {
    rule.set(rule.tangent(0));
    return true;
  }

  static constexpr Operation<double> row{"failing", pullback, pushforward};
};

TEST_CASE("operation: one that fails while it computes leaves the tape usable") {
  Tape<double> tape;
  const V x = tape.scalar(3);
  CHECK_THROWS_AS(Failing::apply(x), std::domain_error);
  const V y = x * x;
  CHECK_THROWS_AS(Failing::apply(y), std::domain_error);
  const V z = y * x;
  CHECK(gradient_values<double>(z, std::span(&x, 1))[0].item() == 27);
  CHECK(pullback<double>({z}, {tape.scalar(1)}, {x})[0].item() == 27);
  CHECK(pushforward(x, tape.scalar(1), z).item() == 27);
}

}  // namespace
}  // namespace fjord
