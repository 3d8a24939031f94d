/// Elementwise operations whose values are a function of one number at a time, for what is rare or
/// has no form in registers that is right everywhere.
///
/// A rule is a struct whose values are numbers, computed in double for both scalars, and whose
/// slopes are recorded; there is no kernel, so a sweep of values records the slopes and rewinds:
///   unary:   name; value(x); slope(x, y).
///   family:  name; value(n, x); slope(n, x, y), with a whole number n that is not a node.
///   binary:  name; value(a, b); slope_a(a, b, y), slope_b(a, b, y).
#pragma once

#include "fjord/autodiff/rules/binary.hpp"
#include "fjord/autodiff/rules/elementwise.hpp"

namespace fjord::rules {

using namespace kernels;

template <class T, class F>
struct ScalarUnary {
  static Var<T> apply(const Var<T>& x) {
    const Node<T> in = x.tape().node(x, F::name);
    const auto [var, value] = append_operation(x.tape(), row, {x}, in.shape);
    std::transform(in.value, in.value + in.shape.size, value,
                   [](T v) { return static_cast<T>(F::value(static_cast<double>(v))); });
    return var;
  }

  static constexpr Operation<T> row{F::name, UnarySlope<T, F>::pullback,
                                    UnarySlope<T, F>::pushforward};
};

template <class T, class F>
struct ScalarFamily {
  static Var<T> apply(int n, const Var<T>& x) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, F::name);
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(n));
    std::transform(in.value, in.value + in.shape.size, value,
                   [n](T v) { return static_cast<T>(F::value(n, static_cast<double>(v))); });
    return var;
  }

  static void pullback(Reverse<T>& rule) { rule.add(0, scale(rule.cotangent(), slope(rule))); }

  static bool pushforward(Forward<T>& rule) {
    rule.set(scale(rule.tangent(0), slope(rule)));
    return true;
  }

  static constexpr Operation<T> row{F::name, pullback, pushforward};

 private:
  static Var<T> slope(const RecordedRule<T>& rule) {
    return F::slope(rule.template attributes<int>(), rule.input(0), rule.output());
  }
};

/// Appends an operation whose values are `value` of operands broadcast, compiled once for all.
template <class T>
Var<T> append_scalar_pairs(const Operation<T>& row, const Var<T>& a, const Var<T>& b,
                           double (*value)(double, double)) {
  Tape<T>& tape = a.tape();
  const Node<T> in_a = tape.node(a, row.name);
  const Node<T> in_b = tape.node(b, row.name);
  const NodeShape shape = broadcast_node_shape(tape, in_a.shape, in_b.shape, row.name);
  const auto [var, values] = append_operation(tape, row, {a, b}, shape);
  const BroadcastLoops<2> loops(shape, {in_a.shape, in_b.shape});
  const Index step_a = loops.is_stretched(0) ? 0 : 1;
  const Index step_b = loops.is_stretched(1) ? 0 : 1;
  loops.for_each_run([&, values = values](const std::array<Index, 2>& at, Index out) {
    for (Index i = 0; i < loops.run(); ++i) {
      const auto x = static_cast<double>(in_a.value[at[0] + i * step_a]);
      const auto y = static_cast<double>(in_b.value[at[1] + i * step_b]);
      values[out + i] = static_cast<T>(value(x, y));
    }
  });
  return var;
}

template <class T, class F>
struct ScalarBinary {
  static Var<T> apply(const Var<T>& a, const Var<T>& b) {
    return append_scalar_pairs(row, a, b, F::value);
  }

  static constexpr Operation<T> row{F::name, BinarySlopes<T, F>::pullback,
                                    BinarySlopes<T, F>::pushforward};
};

}  // namespace fjord::rules
