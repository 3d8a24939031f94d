#include "fjord/autodiff/ops/layer.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/tanh.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/rules/product.hpp"
#include "fjord/autodiff/rules/stack.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

void check_shapes(const NodeShape& x, const NodeShape& weight, const NodeShape& bias,
                  const char* op) {
  const auto text = [](const NodeShape& shape) { return to_string(shape.shape()); };
  require(weight.rank == 2, op,
          [&] { return "the weight must have shape [out, in], got " + text(weight); });
  require(bias.rank == 1 && bias[0] == weight[0], op, [&] {
    return "the bias for weight " + text(weight) + " must have shape [" +
           std::to_string(weight[0]) + "], got " + text(bias);
  });
  require(x.rank >= 2 && x[x.rank - 1] == weight[1], op, [&] {
    return "x must have two axes at least, the last of size " + std::to_string(weight[1]) +
           " for weight " + text(weight) + ", got x of shape " + text(x);
  });
}

// The checked operands of x W^T + b, and what it computes.
template <class T>
struct AffineInputs {
  Node<T> x;
  Node<T> weight;
  Node<T> bias;
  NodeShape shape;

  AffineInputs(const Var<T>& x_var, const Var<T>& weight_var, const Var<T>& bias_var,
               const char* op)
      : x(x_var.tape().node(x_var, op)),
        weight(x_var.tape().node(weight_var, op)),
        bias(x_var.tape().node(bias_var, op)) {
    check_shapes(x.shape, weight.shape, bias.shape, op);
    shape = with_columns(x_var.tape(), x.shape, weight.shape[0]);
  }

  void compute(T* out) const {
    multiply({row_count(x.shape), weight.shape[0], weight.shape[1]}, operand(x, false),
             operand(weight, true), out, bias.value);
  }
};

// The rules of x W^T + b, for the inputs of an operation that starts with it.
template <class T>
void pull_affine(Reverse<T>& rule, const Var<T>& g) {
  if (rule.wants(0)) rule.add(0, product(g, rule.input(1), {false, false, {.a = true}}));
  if (rule.wants(1)) rule.add(1, product(g, rule.input(0), {true, false, {.a = true}}));
  if (rule.wants(2)) rule.add(2, sum_to(g, rule.input(2)));
}

template <class T>
void pull_affine_values(ReverseKernel<T>& k, const T* g) {
  const Node<T> x = k.input_node(0);
  const Node<T> w = k.input_node(1);
  const Index rows = row_count(x.shape);
  const Index out = w.shape[0];
  const Index in = w.shape[1];
  multiply<T>(k, 0, {{rows, in, out}, {g, rows}, operand(w, false), {.a = true}});
  multiply<T>(k, 1, {{out, in, rows}, {g, rows, true}, operand(x, false), {.a = true}});
  if (const Target<T> target = k.target(2)) {
    for (Index j = 0; j < out; ++j) {
      const T total = static_cast<T>(simd::sum<T>(rows, simd::same, g + j * rows));
      target.data[j] = target.fresh ? total : target.data[j] + total;
    }
  }
}

// The tangent of x W^T + b from those of W and b alone; empty if they have none.
template <class T>
Var<T> push_parameters(const Forward<T>& rule) {
  Var<T> tangent;
  if (!rule.tangent(1).is_empty()) {
    tangent = product(rule.input(0), rule.tangent(1), {false, true, {.b = true}});
  }
  if (!rule.tangent(2).is_empty()) {
    tangent = sum_of(tangent, broadcast_to(rule.tangent(2), rule.node().shape.shape()));
  }
  return tangent;
}

template <class T>
bool stacks_parameters(const Forward<T>& rule) {
  return rule.stack() > 0 && !(rule.tangent(1).is_empty() && rule.tangent(2).is_empty());
}

template <class T>
struct Affine {
  static Var<T> apply(const Var<T>& x, const Var<T>& weight, const Var<T>& bias) {
    const AffineInputs<T> in(x, weight, bias, name);
    const auto [var, value] = append_operation(x.tape(), row, {x, weight, bias}, in.shape);
    in.compute(value);
    return var;
  }

  static void pullback(Reverse<T>& rule) { pull_affine(rule, rule.cotangent()); }

  static bool pushforward(Forward<T>& rule) {
    if (stacks_parameters(rule)) return false;
    Var<T> tangent;
    if (!rule.tangent(0).is_empty()) {
      tangent = product(rule.tangent(0), rule.input(1), {false, true, {.a = true}});
    }
    rule.set(sum_of(tangent, push_parameters(rule)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) { pull_affine_values(k, k.cotangent()); }

  static constexpr const char* name = "affine";
  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};
};

// Outputs y = tanh(z) and s = dy/dz of z = x W^T + b; ds/dz = -2 y s.
template <class T>
struct TanhAffine {
  static Var<T> apply(const Var<T>& x, const Var<T>& weight, const Var<T>& bias) {
    const AffineInputs<T> in(x, weight, bias, name);
    const auto [y, slope] =
        append_operation<T, 2>(x.tape(), row, {x, weight, bias}, {in.shape, in.shape});
    in.compute(y.value);
    simd::transform_pair(
        in.shape.size, y.value, slope.value, [](const auto& z) { return Tanh::both(z); }, y.value);
    return y.var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> y = rule.output(0);
    const Var<T> s = rule.output(1);
    Var<T> g;
    if (!rule.cotangent(0).is_empty()) g = scale(rule.cotangent(0), s);
    if (!rule.cotangent(1).is_empty()) {
      g = sum_of(g, scale(rule.cotangent(1), Tanh::curvature(y, s)));
    }
    pull_affine(rule, g);
  }

  static bool pushforward(Forward<T>& rule) {
    if (stacks_parameters(rule)) return false;
    const Var<T> s = rule.output(1);
    Var<T> tangent;
    if (!rule.tangent(0).is_empty()) tangent = scaled_product(rule.tangent(0), rule.input(1), s);
    const Var<T> parameters = push_parameters(rule);
    if (!parameters.is_empty()) tangent = sum_of(tangent, scale(parameters, s));
    if (rule.wants(0)) rule.set(0, tangent);
    if (rule.wants(1)) rule.set(1, scale(tangent, rule.output(0) * T(-2)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Index size = k.size();
    const T* gy = k.cotangent(0);
    const T* gs = k.cotangent(1);
    T* g = k.take(size);
    if (gy != nullptr) simd::transform(size, g, simd::strong_product<T>, gy, k.output(1));
    if (gs != nullptr) {
      simd::accumulate(
          size, g, gy == nullptr,
          [](const auto& h, const auto& y, const auto& s) {
            return simd::strong_product<T>(h, Tanh::curvature(y, s));
          },
          gs, k.output(0), k.output(1));
    }
    pull_affine_values(k, static_cast<const T*>(g));
    k.give_back(g, size);
  }

  static constexpr const char* name = "tanh_affine";
  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};
};

// (t W^T) s, where t is a derivative, and sometimes W or s is another.
struct MovingFactors {
  bool weight = false;
  bool slope = false;
};

template <class T>
struct ScaledProduct {
  static Var<T> apply(const Var<T>& tangent, const Var<T>& weight, const Var<T>& slope,
                      MovingFactors moving = {}) {
    Tape<T>& tape = tangent.tape();
    const Node<T> t = tape.node(tangent, name);
    const Node<T> w = tape.node(weight, name);
    const Node<T> s = tape.node(slope, name);
    check(t.shape, w.shape, s.shape);
    const NodeShape shape = with_columns(tape, t.shape, w.shape[0]);
    const auto [var, value] =
        append_operation(tape, row, {tangent, weight, slope}, shape, tape.keep(moving));
    kernels::multiply<T>(pool_of(tape), unscaled(t, w, moving), value, true);
    scale_slabs({value, shape}, value, {s.value, s.shape}, moving.slope);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto moving = rule.template attributes<MovingFactors>();
    const Var<T> t = rule.input(0);
    const Var<T> w = rule.input(1);
    const Var<T> s = rule.input(2);
    const Var<T> g = rule.cotangent();
    Var<T> inner;
    if (rule.wants(0) || rule.wants(1))
      inner = moving.slope ? scale_derivatives(g, s) : scale(g, s);
    if (rule.wants(0)) rule.add(0, product(inner, w, {false, false, {true, moving.weight}}));
    if (rule.wants(1)) rule.add(1, product(inner, t, {true, false, {true, true}}));
    if (!rule.wants(2)) return;
    const Var<T> unscaled = product(t, w, {false, true, {true, moving.weight}});
    const Var<T> part = scale_derivatives(g, unscaled);
    const std::size_t rank = rule.input_node(2).shape.rank;
    const bool stacked = rule.node().shape.rank > rank;
    rule.add(2, stacked ? sum(part, {stacking_axis(rank)}) : part);
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto moving = rule.template attributes<MovingFactors>();
    const Var<T> t = rule.input(0);
    const Var<T> w = rule.input(1);
    const Var<T> s = rule.input(2);
    Var<T> tangent;
    if (!rule.tangent(0).is_empty()) tangent = apply(rule.tangent(0), w, s, moving);
    if (!rule.tangent(1).is_empty())
      tangent = sum_of(tangent, apply(t, rule.tangent(1), s, {true, moving.slope}));
    if (!rule.tangent(2).is_empty())
      tangent = sum_of(tangent, apply(t, w, rule.tangent(2), {moving.weight, true}));
    rule.set(tangent);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto moving = k.template attributes<MovingFactors>();
    const Node<T> t = k.input_node(0);
    const Node<T> w = k.input_node(1);
    const NodeShape shape = k.node().shape;
    const NodeShape shape_s = k.input_shape(2);
    const Index rows = row_count(shape);
    const Index out = w.shape[0];
    const Index in = w.shape[1];
    T* scratch = k.take(shape.size);
    const T* numbers = scratch;
    if (const Target<T> target = k.target(2)) {
      if (!divide_slabs({k.output(0), shape}, scratch, {k.input(2), shape_s}))
        kernels::multiply<T>(pool_of(k.tape()), unscaled(t, w, moving), scratch, true);
      sum_stack(target, shape, shape_s, simd::product_of_derivatives<T>, k.cotangent(), numbers);
    }
    if (k.wants(0) || k.wants(1))
      scale_slabs({k.cotangent(), shape}, scratch, {k.input(2), shape_s}, moving.slope);
    multiply<T>(k, 0, {{rows, in, out}, {numbers, rows}, operand(w, false), {true, moving.weight}});
    multiply<T>(k, 1, {{out, in, rows}, {numbers, rows, true}, operand(t, false), {true, true}});
    k.give_back(scratch, shape.size);
  }

  static constexpr const char* name = "scaled_product";
  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};

 private:
  struct Numbers {
    const T* data;
    NodeShape shape;
  };

  static MatrixProduct<T> unscaled(const Node<T>& t, const Node<T>& w,
                                   const MovingFactors& moving) {
    return {{row_count(t.shape), w.shape[0], w.shape[1]},
            operand(t, false),
            operand(w, true),
            {true, moving.weight}};
  }

  // out = g s, which may be in place.
  static void scale_slabs(const Numbers& g, T* out, const Numbers& s, bool are_derivatives) {
    for_each_slab(g.shape, s.shape, [&](Index at, Index at_s, Index n) {
      if (are_derivatives) {
        simd::transform(n, out + at, simd::product_of_derivatives<T>, g.data + at, s.data + at_s);
      } else {
        simd::transform(n, out + at, simd::strong_product<T>, g.data + at, s.data + at_s);
      }
    });
  }

  // out = g / s: of a product with s the other factor, within two roundings and without another
  // product of matrices. False, and nothing, where g has zeros or numbers that lost digits.
  static bool divide_slabs(const Numbers& g, T* out, const Numbers& s) {
    using Batch = simd::Batch<T>;
    const Batch largest(std::numeric_limits<T>::max());
    const auto smaller = [&](const Batch& least, const Batch& numbers) {
      const Batch size = xsimd::abs(numbers);
      return xsimd::min(least, xsimd::select(size <= largest, size, Batch(T(0))));
    };
    const Batch least = simd::fold(g.shape.size, largest, smaller, g.data);
    std::array<T, Batch::size> lanes;
    least.store_unaligned(lanes.data());
    if (*std::min_element(lanes.begin(), lanes.end()) < std::numeric_limits<T>::min()) return false;
    for_each_slab(g.shape, s.shape, [&](Index at, Index at_s, Index n) {
      simd::transform(
          n, out + at, [](const auto& x, const auto& y) { return x / y; }, g.data + at,
          s.data + at_s);
    });
    return true;
  }

  static void check(const NodeShape& t, const NodeShape& w, const NodeShape& s) {
    bool fits = w.rank == 2 && s.rank >= 2 && (t.rank == s.rank || t.rank == s.rank + 1) &&
                t[t.rank - 1] == w[1] && s[s.rank - 1] == w[0];
    for (std::size_t k = 0; fits && k + 1 < s.rank; ++k) fits = t[k] == s[k];
    require(fits, name, [&] {
      return "tangent [..., in], or [..., K, in], weight [out, in] and slope [..., out] are "
             "needed, "
             "got " +
             to_string(t.shape()) + ", " + to_string(w.shape()) + " and " + to_string(s.shape());
    });
  }
};

}  // namespace

template <class T>
Var<T> affine(const Var<T>& x, const Var<T>& weight, const Var<T>& bias) {
  return Affine<T>::apply(x, weight, bias);
}

template <class T>
Var<T> tanh_affine(const Var<T>& x, const Var<T>& weight, const Var<T>& bias) {
  return TanhAffine<T>::apply(x, weight, bias);
}

template <class T>
Var<T> scaled_product(const Var<T>& tangent, const Var<T>& weight, const Var<T>& slope) {
  return ScaledProduct<T>::apply(tangent, weight, slope);
}

#define FJORD_INSTANTIATE(T)                                                \
  template Var<T> affine(const Var<T>&, const Var<T>&, const Var<T>&);      \
  template Var<T> tanh_affine(const Var<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> scaled_product(const Var<T>&, const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
