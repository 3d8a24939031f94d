/// Elementwise operations of two operands from scalar rules, each written once for vector registers
/// and for nodes.
///
/// A rule is a struct whose functions take V, either simd::Batch<T> (values) or Var<T> (recorded):
/// name; value(a, b); slope_a(a, b, y), slope_b(a, b, y), the derivatives of y by a and by b.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include "fjord/autodiff/kernels/broadcast.hpp"
#include "fjord/autodiff/kernels/lane_sums.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/rules/number.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord::rules {

using namespace kernels;

/// The shape of a broadcast result: one of the operands' own wherever possible.
template <class T>
NodeShape broadcast_node_shape(Tape<T>& tape, const NodeShape& a, const NodeShape& b,
                               const char* op) {
  if (a == b || b.rank == 0) return a;
  if (a.rank == 0) return b;
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), op);
  if (shape == a.shape()) return a;
  if (shape == b.shape()) return b;
  return tape.keep_shape(shape);
}

/// Calls body(n, run of a, run of b, offset of the result, of a, of b) for every run of operands of
/// different shapes; one that is stretched along the runs is simd::Repeated, and never both are.
template <class T, class Body>
void for_each_broadcast_run(const NodeShape& shape, const Node<T>& a, const Node<T>& b, Body body) {
  const BroadcastLoops<2> loops(shape, {a.shape, b.shape});
  loops.for_each_run([&](const std::array<Index, 2>& at, Index out) {
    const T* run_a = a.value + at[0];
    const T* run_b = b.value + at[1];
    if (loops.is_stretched(0)) {
      body(loops.run(), simd::Repeated<T>{run_a}, run_b, out, at[0], at[1]);
    } else if (loops.is_stretched(1)) {
      body(loops.run(), run_a, simd::Repeated<T>{run_b}, out, at[0], at[1]);
    } else {
      body(loops.run(), run_a, run_b, out, at[0], at[1]);
    }
  });
}

/// As append_pairs, where an operand is not one number: apart from it, which keeps that short.
template <class F, class T>
[[gnu::noinline]] Var<T> append_tensor_pairs(const Operation<T>& row, const Var<T>& a,
                                             const Var<T>& b) {
  Tape<T>& tape = a.tape();
  const Node<T>& in_a = tape.node(a.index());
  const Node<T>& in_b = tape.node(b.index());
  const auto value_of = [](const auto& x, const auto& y) { return F::value(x, y); };
  const NodeShape shape = broadcast_node_shape(tape, in_a.shape, in_b.shape, F::name);
  const auto [var, value] = append_operation(tape, row, {a, b}, shape);
  const auto write = [=, value = value](Index n, auto run_a, auto run_b, Index at, Index, Index) {
    simd::transform(n, value + at, value_of, run_a, run_b);
  };
  if (in_a.shape == in_b.shape) {
    write(shape.size, in_a.value, in_b.value, 0, 0, 0);
  } else {
    for_each_broadcast_run(shape, in_a, in_b, write);
  }
  return var;
}

/// Appends an operation whose values are F::value(a, b), in registers, of operands broadcast.
template <class F, class T>
Var<T> append_pairs(const Operation<T>& row, const Var<T>& a, const Var<T>& b) {
  Tape<T>& tape = a.tape();
  const Node<T>& in_a = tape.node(a, F::name);
  const Node<T>& in_b = tape.node(b, F::name);
  if (in_a.shape.size != 1 || in_b.shape.size != 1) return append_tensor_pairs<F>(row, a, b);
  const auto value_of = [](const auto& x, const auto& y) { return F::value(x, y); };
  const T number = simd::of_numbers<T>(value_of, *in_a.value, *in_b.value);
  // Broadcast, axes of size 1 are those of the operand that has more of them.
  const NodeShape shape = in_a.shape.rank < in_b.shape.rank ? in_b.shape : in_a.shape;
  return append_number<T, 2>(tape, row, {a.index(), b.index()}, shape, number);
}

// What the rules of every binary operation share, apart from their templates so that it is compiled
// once for all: both factors have the result's shape, g perhaps stacked; a slope that is just 1 or
// -1 is not worth a product.

template <class T>
Var<T> like_shape(const Var<T>& slope, const NodeShape& shape) {
  return slope.tape().node(slope.index()).shape == shape ? slope
                                                         : broadcast_to(slope, shape.shape());
}

template <class T>
Var<T> scale_by(const Var<T>& g, const Var<T>& slope, const NodeShape& shape) {
  return scale(g, like_shape(slope, shape));
}

template <class T>
Var<T> scale_by(const Var<T>& g, int sign, const NodeShape&) {
  return sign > 0 ? g : negated(g);
}

/// The tangent of operand i in the shape of the result, except for its stack.
template <class T>
Var<T> tangent_like_output(const Forward<T>& rule, std::uint32_t i) {
  const Var<T> tangent = rule.tangent(i);
  return rule.stack() > 0 ? tangent : broadcast_to(tangent, rule.node().shape.shape());
}

/// Stacked tangents of an operand that is itself broadcast do not line up with the result's.
template <class T>
bool lines_up(const Forward<T>& rule, std::uint32_t i) {
  return rule.stack() == 0 || rule.tangent(i).is_empty() ||
         rule.input_node(i).shape == rule.node().shape;
}

template <class T>
Var<T> sum_of_parts(const Forward<T>& rule, const Var<T>& slope_a, const Var<T>& slope_b) {
  const NodeShape shape = rule.node().shape;
  return scale_sum(tangent_like_output(rule, 0), like_shape(slope_a, shape),
                   tangent_like_output(rule, 1), like_shape(slope_b, shape));
}

template <class T, class A, class B>
Var<T> sum_of_parts(const Forward<T>& rule, const A& slope_a, const B& slope_b) {
  const NodeShape shape = rule.node().shape;
  return scale_by(tangent_like_output(rule, 0), slope_a, shape) +
         scale_by(tangent_like_output(rule, 1), slope_b, shape);
}

/// The recorded rules of a binary operation, from its slopes.
template <class T, class F>
struct BinarySlopes {
  static void pullback(Reverse<T>& rule) {
    const Var<T> g = rule.cotangent();
    const NodeShape shape = rule.node().shape;
    if (rule.wants(0)) rule.add(0, sum_to(scale_by(g, slope_a(rule), shape), rule.input(0)));
    if (rule.wants(1)) rule.add(1, sum_to(scale_by(g, slope_b(rule), shape), rule.input(1)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (!lines_up(rule, 0) || !lines_up(rule, 1)) return false;
    const NodeShape shape = rule.node().shape;
    const bool moves_a = !rule.tangent(0).is_empty();
    const bool moves_b = !rule.tangent(1).is_empty();
    if (moves_a && moves_b) {
      rule.set(sum_of_parts(rule, slope_a(rule), slope_b(rule)));
    } else if (moves_a) {
      rule.set(scale_by(tangent_like_output(rule, 0), slope_a(rule), shape));
    } else if (moves_b) {
      rule.set(scale_by(tangent_like_output(rule, 1), slope_b(rule), shape));
    }
    return true;
  }

 private:
  static auto slope_a(const RecordedRule<T>& rule) {
    return F::slope_a(rule.input(0), rule.input(1), rule.output());
  }

  static auto slope_b(const RecordedRule<T>& rule) {
    return F::slope_b(rule.input(0), rule.input(1), rule.output());
  }
};

template <class T, class F>
struct Binary {
  static Var<T> apply(const Var<T>& a, const Var<T>& b) { return append_pairs<F>(row, a, b); }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto in_a = [](const auto& g, const auto& a, const auto& b, const auto& y) {
      return product(g, F::slope_a(a, b, y));
    };
    const auto in_b = [](const auto& g, const auto& a, const auto& b, const auto& y) {
      return product(g, F::slope_b(a, b, y));
    };
    const Node<T>& a = k.input_node(0);
    const Node<T>& b = k.input_node(1);
    if (k.is_number()) {
      const T g = *k.cotangent();
      k.add_number(1, simd::of_numbers<T>(in_b, g, *a.value, *b.value, *k.output()));
      k.add_number(0, simd::of_numbers<T>(in_a, g, *a.value, *b.value, *k.output()));
      return;
    }
    const NodeShape& shape = k.node().shape;
    const bool fits_a = a.shape == shape;
    if (fits_a && b.shape == shape) {
      accumulate_dense(k, 1, a.value, b.value, in_b);
      if constexpr (!first_slope_is_1) return accumulate_dense(k, 0, a.value, b.value, in_a);
    } else {
      accumulate_side<1>(k, in_b);
      if (!first_slope_is_1 || !fits_a) return accumulate_side<0>(k, in_a);
    }
    k.pass(0);
  }

  static constexpr Operation<T> row{F::name, BinarySlopes<T, F>::pullback,
                                    BinarySlopes<T, F>::pushforward, pullback_values};

 private:
  // What a rule gives as a number is 1 in the first operand: see Add and Subtract.
  static constexpr bool first_slope_is_1 =
      std::is_same_v<decltype(F::slope_a(simd::Batch<T>(), simd::Batch<T>(), simd::Batch<T>())),
                     int>;

  static simd::Batch<T> product(const simd::Batch<T>& g, const simd::Batch<T>& slope) {
    return simd::strong_product<T>(g, slope);
  }

  static simd::Batch<T> product(const simd::Batch<T>& g, int sign) {
    return sign > 0 ? g : simd::negated(g);
  }

  template <class Slope>
  static void accumulate_dense(ReverseKernel<T>& k, std::uint32_t side, const T* a, const T* b,
                               Slope slope) {
    const Target<T> target = k.target(side);
    if (!target) return;
    simd::accumulate(k.size(), target.data, target.fresh, slope,
                     static_cast<const T*>(k.cotangent()), a, b, k.output());
  }

  // Of operands of different shapes.
  template <std::uint32_t side, class Slope>
  static void accumulate_side(ReverseKernel<T>& k, Slope slope) {
    const Target<T> target = k.target(side);
    if (!target) return;
    const NodeShape& whole = k.node().shape;
    const NodeShape& lanes = k.input_shape(side);
    const LaneLoops<4> loops(whole, lanes, {whole, k.input_shape(0), k.input_shape(1), whole});
    if (loops.is_empty()) {
      if (target.fresh) std::fill_n(target.data, lanes.size, simd::masked_zero<T>);
      return;
    }
    const T* const g = k.cotangent();
    const T* const a = k.input(0);
    const T* const b = k.input(1);
    if (loops.is_stretched(1)) {
      add_up<side == 0>(loops, target, slope, g, simd::Repeated<T>{a}, b, k.output());
    } else if (loops.is_stretched(2)) {
      add_up<side == 1>(loops, target, slope, g, a, simd::Repeated<T>{b}, k.output());
    } else {
      add_up<false>(loops, target, slope, g, a, b, k.output());
    }
  }

  template <bool along_runs, class Slope, class... In>
  static void add_up(const LaneLoops<4>& loops, const Target<T>& target, Slope slope, In... in) {
    if constexpr (along_runs) {
      sum_along_runs(loops, target.data, target.fresh, slope, in...);
    } else {
      sum_across_runs(loops, target.data, target.fresh, slope, in...);
    }
  }
};

}  // namespace fjord::rules
