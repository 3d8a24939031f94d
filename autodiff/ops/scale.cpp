#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/rules/stack.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

template <class T, bool both>
struct Scale;

// What an operation's rules make of its term g d, where g is input `at` and d the next: the strong
// product; g may hold several tangents, stacked, for which d is shared. `both`: d is a derivative
// as well, so that its masked zeros stay, too.
template <class T, bool both>
struct Term {
  static void pullback(Reverse<T>& rule, std::uint32_t at) {
    if (rule.wants(at)) rule.add(at, Scale<T, both>::apply(rule.cotangent(), rule.input(at + 1)));
    if (!rule.wants(at + 1)) return;
    const Var<T> in_d = OfDerivatives::apply(rule.cotangent(), rule.input(at));
    if (is_stacked(rule, at)) {
      rule.add(at + 1, sum(in_d, {stacking_axis(rule.input_node(at + 1).shape.rank)}));
    } else {
      rule.add(at + 1, in_d);
    }
  }

  // Adds to `tangent`.
  static void pushforward(const Forward<T>& rule, std::uint32_t at, Var<T>& tangent) {
    const auto add = [&](const Var<T>& part) { tangent = sum_of(tangent, part); };
    const Var<T> dg = rule.tangent(at);
    const Var<T> dd = rule.tangent(at + 1);
    if (!dg.is_empty()) add(Scale<T, both>::apply(dg, rule.input(at + 1)));
    if (dd.is_empty()) return;
    // Stacked tangents of d share the one g.
    add(rule.stack() > 0 ? OfDerivatives::apply(dd, rule.input(at))
                         : OfDerivatives::apply(rule.input(at), dd));
  }

  static void pullback_values(ReverseKernel<T>& k, std::uint32_t at) {
    const NodeShape shape = k.node().shape;
    const NodeShape shape_d = k.input_shape(at + 1);
    if (const Target<T> target = k.target(at)) {
      for_each_slab(shape, shape_d, [&](Index g_at, Index d_at, Index n) {
        simd::accumulate(n, target.data + g_at, target.fresh, product(), k.cotangent() + g_at,
                         k.input(at + 1) + d_at);
      });
    }
    if (const Target<T> target = k.target(at + 1)) {
      sum_stack(target, shape, shape_d, simd::product_of_derivatives<T>, k.cotangent(),
                k.input(at));
    }
  }

  static constexpr auto product() {
    if constexpr (both) {
      return simd::product_of_derivatives<T>;
    } else {
      return simd::strong_product<T>;
    }
  }

  static bool is_stacked(const RuleNode<T>& rule, std::uint32_t at) {
    return !(rule.input_node(at).shape == rule.input_node(at + 1).shape);
  }

 private:
  using OfDerivatives = Scale<T, true>;
};

void check_shapes(const NodeShape& g, const NodeShape& d) {
  if (g == d) return;
  const Shape shape = g.shape();
  const auto axis = static_cast<std::size_t>(stacking_axis(d.rank));
  require(shape.rank() == d.rank + 1 && stacked_shape(d.shape(), shape[axis]) == shape, "scale",
          [&] {
            return "shapes must match, or the first stack the second, got " + to_string(shape) +
                   " and " + to_string(d.shape());
          });
}

template <class T, bool both>
struct Scale {
  using Only = Term<T, both>;

  static Var<T> apply(const Var<T>& g, const Var<T>& d) {
    Tape<T>& tape = g.tape();
    const Node<T> in_g = tape.node(g, "scale");
    const Node<T> in_d = tape.node(d, "scale");
    check_shapes(in_g.shape, in_d.shape);
    const auto [var, value] = append_operation(tape, row, {g, d}, in_g.shape);
    for_each_slab(in_g.shape, in_d.shape, [&, value = value](Index at, Index d_at, Index n) {
      simd::transform(n, value + at, Only::product(), in_g.value + at, in_d.value + d_at);
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) { Only::pullback(rule, 0); }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0 && Only::is_stacked(rule, 0)) return false;
    Var<T> tangent;
    Only::pushforward(rule, 0, tangent);
    rule.set(tangent);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) { Only::pullback_values(k, 0); }

  static constexpr Operation<T> row{"scale", pullback, pushforward, pullback_values};
};

// Two terms in one node: every product of variables has such a tangent.
template <class T>
struct ScaleSum {
  using Each = Term<T, false>;

  static Var<T> apply(const Var<T>& g, const Var<T>& d, const Var<T>& h, const Var<T>& e) {
    Tape<T>& tape = g.tape();
    const Node<T> in_g = tape.node(g, "scale");
    const Node<T> in_d = tape.node(d, "scale");
    const Node<T> in_h = tape.node(h, "scale");
    const Node<T> in_e = tape.node(e, "scale");
    check_shapes(in_g.shape, in_d.shape);
    check_shapes(in_h.shape, in_e.shape);
    require(in_g.shape == in_h.shape && in_d.shape == in_e.shape, "scale",
            "both terms must have one shape");
    const auto [var, value] = append_operation(tape, row, {g, d, h, e}, in_g.shape);
    for_each_slab(in_g.shape, in_d.shape, [&, value = value](Index at, Index d_at, Index n) {
      simd::transform(
          n, value + at,
          [](const auto& u, const auto& a, const auto& v, const auto& b) {
            return simd::strong_product<T>(u, a) + simd::strong_product<T>(v, b);
          },
          in_g.value + at, in_d.value + d_at, in_h.value + at, in_e.value + d_at);
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    Each::pullback(rule, 0);
    Each::pullback(rule, 2);
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0 && Each::is_stacked(rule, 0)) return false;
    Var<T> tangent;
    Each::pushforward(rule, 0, tangent);
    Each::pushforward(rule, 2, tangent);
    rule.set(tangent);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    Each::pullback_values(k, 0);
    Each::pullback_values(k, 2);
  }

  static constexpr Operation<T> row{"scale_sum", pullback, pushforward, pullback_values};
};

}  // namespace

template <class T>
Var<T> scale(const Var<T>& g, const Var<T>& d) {
  return Scale<T, false>::apply(g, d);
}

template <class T>
Var<T> rules::scale_derivatives(const Var<T>& g, const Var<T>& d) {
  return Scale<T, true>::apply(g, d);
}

template <class T>
Var<T> scale_sum(const Var<T>& g, const Var<T>& d, const Var<T>& h, const Var<T>& e) {
  return ScaleSum<T>::apply(g, d, h, e);
}

#define FJORD_INSTANTIATE(T)                                              \
  template Var<T> scale(const Var<T>&, const Var<T>&);                    \
  template Var<T> rules::scale_derivatives(const Var<T>&, const Var<T>&); \
  template Var<T> scale_sum(const Var<T>&, const Var<T>&, const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
