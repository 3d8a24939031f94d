/// Elementwise operations that are constant or choose, so that a derivative is copied or masked,
/// and never multiplied by a mask: an infinite cotangent gives no NaN where it is not chosen.
///
/// A rule is a struct:
///   steps:   name; value(x), or value(a, b), in registers; no derivative flows through them.
///   choice:  name; value(x) in registers; carry(g, x), what g is passed on as, for V either
///            simd::Batch<T> or Var<T>, where `choose` and `constant` serve both.
///   choice of two:  name; value(a, b) in registers; carry(g, own, other, y) of Var<T>.
#pragma once

#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/binary.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord::rules {

using namespace kernels;

template <class T>
simd::Batch<T> choose(const xsimd::batch_bool<T>& mask, const simd::Batch<T>& a,
                      const simd::Batch<T>& b) {
  return xsimd::select(mask, a, b);
}

template <class T>
Var<T> choose(const Var<T>& mask, const Var<T>& a, const Var<T>& b) {
  return where(mask, a, b);
}

template <class T>
simd::Batch<T> constant(const simd::Batch<T>&, double number) {
  return simd::Batch<T>(static_cast<T>(number));
}

template <class T>
Var<T> constant(const Var<T>& like, double number) {
  return like.tape().scalar(static_cast<T>(number));
}

/// What g is passed on as where it is not chosen.
template <class T>
simd::Batch<T> masked_like(const simd::Batch<T>&) {
  return simd::Batch<T>(simd::masked_zero<T>);
}

template <class T>
Var<T> masked_like(const Var<T>& g) {
  return masked(g.tape());
}

/// The rules of an operation that is constant almost everywhere.
template <class T>
struct NoDerivative {
  static constexpr Operation<T> row(const char* name) {
    return {name, [](Reverse<T>&) {}, [](Forward<T>&) { return true; }, [](ReverseKernel<T>&) {}};
  }
};

template <class T, class F>
struct Step {
  static Var<T> apply(const Var<T>& x) {
    const Node<T> in = x.tape().node(x, F::name);
    const auto [var, value] = append_operation(x.tape(), row, {x}, in.shape);
    simd::transform(
        in.shape.size, value, [](const auto& v) { return F::value(v); }, in.value);
    return var;
  }

  static constexpr Operation<T> row = NoDerivative<T>::row(F::name);
};

template <class T, class F>
struct BinaryStep {
  static Var<T> apply(const Var<T>& a, const Var<T>& b) { return append_pairs<F>(row, a, b); }

  static constexpr Operation<T> row = NoDerivative<T>::row(F::name);
};

template <class T, class F>
struct Choice {
  static Var<T> apply(const Var<T>& x) {
    const Node<T> in = x.tape().node(x, F::name);
    const auto [var, value] = append_operation(x.tape(), row, {x}, in.shape);
    simd::transform(
        in.shape.size, value, [](const auto& v) { return F::value(v); }, in.value);
    return var;
  }

  static void pullback(Reverse<T>& rule) { rule.add(0, F::carry(rule.cotangent(), rule.input(0))); }

  static bool pushforward(Forward<T>& rule) {
    const Var<T> x = rule.input(0);
    // Broadcast over the stacked tangents.
    rule.set(
        F::carry(rule.tangent(0), rule.stack() > 0 ? reshape(x, stacked_shape(x.shape(), 1)) : x));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    simd::accumulate(
        k.size(), target.data, target.fresh,
        [](const auto& g, const auto& x) { return F::carry(g, x); }, k.cotangent(), k.input(0));
  }

  static constexpr Operation<T> row{F::name, pullback, pushforward, pullback_values};
};

template <class T, class F>
struct BinaryChoice {
  static Var<T> apply(const Var<T>& a, const Var<T>& b) { return append_pairs<F>(row, a, b); }

  static void pullback(Reverse<T>& rule) {
    const Var<T> a = rule.input(0);
    const Var<T> b = rule.input(1);
    const Var<T> y = rule.output();
    if (rule.wants(0)) rule.add(0, sum_to(F::carry(rule.cotangent(), a, b, y), a));
    if (rule.wants(1)) rule.add(1, sum_to(F::carry(rule.cotangent(), b, a, y), b));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> a = rule.input(0);
    const Var<T> b = rule.input(1);
    const Var<T> y = rule.output();
    Var<T> tangent;
    if (!rule.tangent(0).is_empty()) tangent = F::carry(rule.tangent(0), a, b, y);
    if (!rule.tangent(1).is_empty()) tangent = sum_of(tangent, F::carry(rule.tangent(1), b, a, y));
    rule.set(tangent);
    return true;
  }

  static constexpr Operation<T> row{F::name, pullback, pushforward};
};

}  // namespace fjord::rules
