/// Elementwise operations from scalar rules, each written once for vector registers and for nodes.
///
/// A rule is a struct whose functions take V, either simd::Batch<T> (values) or Var<T> (recorded):
///   unary:   name; value(x); slope(x, y), the derivative dy/dx.
///   paired:  name; both(x) -> {y, s}, s = dy/dx; curvature(x, y, s), the derivative ds/dx.
/// `value` and `both` see registers only, and may choose among them with xsimd::select; `slope` and
/// `curvature` see both kinds: operators, numbers as operands (1 / x) and functions such as sqrt(x)
/// serve both, and so does `constant` of choice.hpp.
/// binary.hpp has the forms for two operands, scalar.hpp those for rare functions, which cost less
/// to write and to compile, and choice.hpp those for functions that choose among their
/// arguments.
#pragma once

#include <array>

#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/rules/number.hpp"

namespace fjord::rules {

using namespace kernels;

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
    const auto value_of = [](const auto& v) { return F::value(v); };
    if (in.shape.size == 1) {
      const T number = simd::of_numbers<T>(value_of, *in.value);
      return append_number<T, 1>(tape, row, {x.index()}, in.shape, number);
    }
    const auto [var, value] = append_operation(tape, row, {x}, in.shape);
    simd::transform(in.shape.size, value, value_of, in.value);
    return var;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto part = [](const auto& g, const auto& x, const auto& y) {
      return simd::strong_product<T>(g, F::slope(x, y));
    };
    if (k.is_number())
      return k.add_number(0, simd::of_numbers<T>(part, *k.cotangent(), *k.input(0), *k.output()));
    const Target<T> target = k.target(0);
    if (!target) return;
    simd::accumulate(k.size(), target.data, target.fresh, part, k.cotangent(), k.input(0),
                     k.output());
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

}  // namespace fjord::rules
