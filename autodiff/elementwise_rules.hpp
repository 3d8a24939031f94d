/// Elementwise operations from scalar rules, each written once for vector registers and for nodes.
///
/// A rule is a struct whose functions take V, either simd::Batch<T> (values) or Var<T> (recorded):
///   unary:   name; value(x); slope(x, y), the derivative dy/dx.
///   paired:  name; both(x) -> {y, s}, s = dy/dx; curvature(x, y, s), the derivative ds/dx.
///   binary:  name; value(a, b); slope_a(a, b, y), slope_b(a, b, y).
/// scalar_rules.hpp has forms for rare functions, which cost less to write and to compile, and
/// choice_rules.hpp those for functions that choose among their arguments.
#pragma once

#include <array>

#include "fjord/autodiff/broadcast.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/simd.hpp"

namespace fjord {

/// The recorded rules of a unary operation, from its slope.
template <class T, class F>
struct UnarySlope {
  static void pullback(Reverse<T>& rule) {
    rule.add(0, scale(rule.cotangent(), F::slope(rule.input(0), rule.output())));
  }

  static bool pushforward(Forward<T>& rule) {
    rule.set(scale(rule.tangent(0), F::slope(rule.input(0), rule.output())));
    return true;
  }
};

template <class T, class F>
struct Unary {
  static Var<T> apply(const Var<T>& x) {
    Tape<T>& tape = x.tape();
    const Node<T>& in = tape.node(x, F::name);
    const auto [var, value] = append_operation(tape, row, {x}, in.shape);
    simd::transform(
        in.shape.size, value, [](const auto& v) { return F::value(v); }, in.value);
    return var;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    simd::accumulate(
        k.size(), target.data, target.fresh,
        [](const auto& g, const auto& x, const auto& y) {
          return simd::strong_product<T>(g, F::slope(x, y));
        },
        k.cotangent(), k.input(0), k.output());
  }

  static constexpr Operation<T> row{F::name, UnarySlope<T, F>::pullback,
                                    UnarySlope<T, F>::pushforward, pullback_values};
};

/// A function recorded together with its derivative, so that every further order is accurate, too.
template <class T, class F>
struct Paired {
  static Var<T> apply(const Var<T>& x) { return both(x)[0]; }

  static std::array<Var<T>, 2> both(const Var<T>& x) {
    Tape<T>& tape = x.tape();
    const Node<T>& in = tape.node(x, F::name);
    const auto [y, s] = append_operation<T, 2>(tape, row, {x}, {in.shape, in.shape});
    simd::transform_pair(
        in.shape.size, y.value, s.value, [](const auto& v) { return F::both(v); }, in.value);
    return {y.var, s.var};
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> y = rule.output(0);
    const Var<T> s = rule.output(1);
    if (!rule.cotangent(0).is_empty()) rule.add(0, scale(rule.cotangent(0), s));
    if (!rule.cotangent(1).is_empty())
      rule.add(0, scale(rule.cotangent(1), F::curvature(rule.input(0), y, s)));
  }

  static bool pushforward(Forward<T>& rule) {
    const Var<T> y = rule.output(0);
    const Var<T> s = rule.output(1);
    if (rule.wants(0)) rule.set(0, scale(rule.tangent(0), s));
    if (rule.wants(1)) rule.set(1, scale(rule.tangent(0), F::curvature(rule.input(0), y, s)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    const T* gy = k.cotangent(0);
    const T* gs = k.cotangent(1);
    const auto by_y = [](const auto& g, const auto& s) { return simd::strong_product<T>(g, s); };
    const auto by_s = [](const auto& g, const auto& x, const auto& y, const auto& s) {
      return simd::strong_product<T>(g, F::curvature(x, y, s));
    };
    if (gs == nullptr) {
      simd::accumulate(k.size(), target.data, target.fresh, by_y, gy, k.output(1));
    } else if (gy == nullptr) {
      simd::accumulate(k.size(), target.data, target.fresh, by_s, gs, k.input(0), k.output(0),
                       k.output(1));
    } else {
      simd::accumulate(
          k.size(), target.data, target.fresh,
          [=](const auto& g, const auto& h, const auto& x, const auto& y, const auto& s) {
            return by_y(g, s) + by_s(h, x, y, s);
          },
          gy, gs, k.input(0), k.output(0), k.output(1));
    }
  }

  static constexpr Operation<T> row{F::name, pullback, pushforward, pullback_values};
};

/// Calls body(n, run of a, run of b, offset of the result, of a, of b) for every run.
template <class T, class Body>
void for_each_run(const NodeShape& shape, const Node<T>& a, const Node<T>& b, Body body) {
  if (a.shape == b.shape) {
    body(shape.size, a.value, b.value, Index{0}, Index{0}, Index{0});
    return;
  }
  const BroadcastLoops<2> loops(shape, {a.shape, b.shape});
  const bool repeat_a = loops.is_stretched(0);
  const bool repeat_b = loops.is_stretched(1);
  loops.for_each_run([&](const std::array<Index, 2>& at, Index out) {
    const T* run_a = a.value + at[0];
    const T* run_b = b.value + at[1];
    const simd::Repeated<T> number_a{run_a};
    const simd::Repeated<T> number_b{run_b};
    if (repeat_a && repeat_b) {
      body(loops.run(), number_a, number_b, out, at[0], at[1]);
    } else if (repeat_a) {
      body(loops.run(), number_a, run_b, out, at[0], at[1]);
    } else if (repeat_b) {
      body(loops.run(), run_a, number_b, out, at[0], at[1]);
    } else {
      body(loops.run(), run_a, run_b, out, at[0], at[1]);
    }
  });
}

/// Appends an operation whose values are F::value(a, b), in registers, of operands broadcast.
template <class F, class T>
Var<T> append_pairs(const Operation<T>& row, const Var<T>& a, const Var<T>& b) {
  Tape<T>& tape = a.tape();
  const Node<T>& in_a = tape.node(a, F::name);
  const Node<T>& in_b = tape.node(b, F::name);
  const NodeShape shape = broadcast_node_shape(tape, in_a.shape, in_b.shape, F::name);
  const auto [var, value] = append_operation(tape, row, {a, b}, shape);
  for_each_run(shape, in_a, in_b,
               [value = value](Index n, auto run_a, auto run_b, Index at, Index, Index) {
                 simd::transform(
                     n, value + at, [](const auto& x, const auto& y) { return F::value(x, y); },
                     run_a, run_b);
               });
  return var;
}

/// The recorded rules of a binary operation, from its slopes.
template <class T, class F>
struct BinarySlopes {
  static void pullback(Reverse<T>& rule) {
    const Var<T> a = rule.input(0);
    const Var<T> b = rule.input(1);
    const Var<T> g = rule.cotangent();
    if (rule.wants(0))
      rule.add(0, sum_to(scale_by(g, F::slope_a(a, b, rule.output()), rule.node().shape), a));
    if (rule.wants(1))
      rule.add(1, sum_to(scale_by(g, F::slope_b(a, b, rule.output()), rule.node().shape), b));
  }

  static bool pushforward(Forward<T>& rule) {
    // Stacked tangents of an operand that is itself broadcast do not line up with the result's.
    if (rule.stack() > 0 && (!lines_up(rule, 0) || !lines_up(rule, 1))) return false;
    const Var<T> a = rule.input(0);
    const Var<T> b = rule.input(1);
    const bool moves_a = !rule.tangent(0).is_empty();
    const bool moves_b = !rule.tangent(1).is_empty();
    const auto slope_a = [&] { return F::slope_a(a, b, rule.output()); };
    const auto slope_b = [&] { return F::slope_b(a, b, rule.output()); };
    const auto part = [&](std::uint32_t i, const auto& slope) {
      return scale_by(like_output(rule, rule.tangent(i)), slope, rule.node().shape);
    };
    if (moves_a && moves_b) {
      rule.set(both_parts(rule, slope_a(), slope_b(), part));
    } else if (moves_a) {
      rule.set(part(0, slope_a()));
    } else if (moves_b) {
      rule.set(part(1, slope_b()));
    }
    return true;
  }

 private:
  template <class Part>
  static Var<T> both_parts(const Forward<T>& rule, const Var<T>& slope_a, const Var<T>& slope_b,
                           Part) {
    const NodeShape shape = rule.node().shape;
    return scale_sum(like_output(rule, rule.tangent(0)), like_shape(slope_a, shape),
                     like_output(rule, rule.tangent(1)), like_shape(slope_b, shape));
  }

  template <class A, class B, class Part>
  static Var<T> both_parts(const Forward<T>&, const A& slope_a, const B& slope_b, Part part) {
    return part(0, slope_a) + part(1, slope_b);
  }

  // Both have the result's shape, g perhaps stacked; a slope that is just 1 or -1 is not worth a
  // product.
  static Var<T> scale_by(const Var<T>& g, const Var<T>& slope, const NodeShape& shape) {
    return scale(g, like_shape(slope, shape));
  }

  static Var<T> like_shape(const Var<T>& slope, const NodeShape& shape) {
    return slope.tape().node(slope.index()).shape == shape ? slope
                                                           : broadcast_to(slope, shape.shape());
  }

  static Var<T> scale_by(const Var<T>& g, int sign, const NodeShape&) { return sign > 0 ? g : -g; }

  static bool lines_up(const Forward<T>& rule, std::uint32_t i) {
    return rule.tangent(i).is_empty() || rule.input_node(i).shape == rule.node().shape;
  }

  static Var<T> like_output(const Forward<T>& rule, const Var<T>& tangent) {
    return rule.stack() > 0 ? tangent : broadcast_to(tangent, rule.node().shape.shape());
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
    const NodeShape& shape = k.node().shape;
    const bool fits_a = a.shape == shape;
    if (fits_a && b.shape == shape) {
      accumulate_dense(k, 1, a.value, b.value, in_b);
      if constexpr (!first_slope_is_1) return accumulate_dense(k, 0, a.value, b.value, in_a);
    } else {
      accumulate_side(k, 1, in_b);
      if (!first_slope_is_1 || !fits_a) return accumulate_side(k, 0, in_a);
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

  static simd::Batch<T> product(const simd::Batch<T>& g, int sign) { return sign > 0 ? g : -g; }

  template <class Slope>
  static void accumulate_dense(ReverseKernel<T>& k, std::uint32_t side, const T* a, const T* b,
                               Slope slope) {
    const Target<T> target = k.target(side);
    if (!target) return;
    simd::accumulate(k.size(), target.data, target.fresh, slope,
                     static_cast<const T*>(k.cotangent()), a, b, k.output());
  }

  template <class Slope>
  static void accumulate_side(ReverseKernel<T>& k, std::uint32_t side, Slope slope) {
    const Target<T> target = k.target(side);
    if (!target) return;
    const NodeShape own = k.input_shape(side);
    const bool dense = own == k.node().shape;
    if (!dense && target.fresh) std::fill_n(target.data, own.size, T(0));
    const bool stretched =
        !dense &&
        BroadcastLoops<2>(k.node().shape, {k.input_shape(0), k.input_shape(1)}).is_stretched(side);
    for_each_run(k.node().shape, k.input_node(0), k.input_node(1),
                 [&](Index n, auto a, auto b, Index at, Index at_a, Index at_b) {
                   const T* g = k.cotangent() + at;
                   const T* y = k.output() + at;
                   T* out = target.data + (side == 0 ? at_a : at_b);
                   if (stretched) {
                     *out += static_cast<T>(simd::sum<T>(n, slope, g, a, b, y));
                   } else {
                     simd::accumulate(n, out, dense && target.fresh, slope, g, a, b, y);
                   }
                 });
  }
};

}  // namespace fjord
