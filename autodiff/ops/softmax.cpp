#include "fjord/autodiff/ops/softmax.hpp"

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/reduction.hpp"

namespace fjord {
namespace {

template <class T>
using Batch = simd::Batch<T>;

// Of each lane (the entries that share one sum): its largest entry m, and the sum of exp(x - m) of
// all its entries but one that is m, which keeps its digits where that one is nearly all.
template <class T>
struct Lanes {
  const T* largest;
  const T* others;
};

template <class T>
Lanes<T> measure(Tape<T>& tape, const Node<T>& in, const NodeShape& kept) {
  T* largest = tape.new_values(kept.size);
  T* others = tape.new_values(kept.size);
  T* ties = tape.new_values(kept.size);
  write_extremes<LargestFirst>(in.value, in.shape, largest, kept, simd::same);
  std::fill_n(others, kept.size, T(0));
  std::fill_n(ties, kept.size, T(0));
  add_sums<T>(in.value, in.shape, largest, others, kept, [](const auto& x, const auto& m) {
    return xsimd::select(x == m, Batch<T>(T(0)), xsimd::exp(x - m));
  });
  add_sums<T>(in.value, in.shape, largest, ties, kept, [](const auto& x, const auto& m) {
    return xsimd::select(x == m, Batch<T>(T(1)), Batch<T>(T(0)));
  });
  for (Index i = 0; i < kept.size; ++i) others[i] += ties[i] - T(1);
  return {largest, others};
}

// One over the sum of a lane; 0 where all terms are -inf.
template <class T>
const T* inverse_sums(Tape<T>& tape, const Lanes<T>& lanes, Index count) {
  T* inverse = tape.new_values(count);
  for (Index i = 0; i < count; ++i) {
    const bool is_nothing = lanes.largest[i] == LargestFirst::last<T>;
    inverse[i] = is_nothing ? T(0) : T(1) / (T(1) + lanes.others[i]);
  }
  return inverse;
}

template <class T>
Batch<T> weight(const Batch<T>& x, const Batch<T>& m, const Batch<T>& inverse) {
  // An infinite entry that is the largest has no difference to itself.
  return xsimd::select(x == m, Batch<T>(T(1)), xsimd::exp(x - m)) * inverse;
}

// What the rules of softmax and log_softmax need: the sums of a lane run over `kept`'s axes of size
// 1, and one largest entry of each lane is marked.
template <class T>
struct Marked {
  Var<T> mask;
  Var<T> kept;  // of the shape of the sums
};

// The node is a copy: appending may move the tape's list.
template <class T>
Marked<T> mark_largest(Tape<T>& tape, Node<T> in, const NodeShape& shape) {
  const auto mask = append_leaf(tape, in.shape);
  const auto kept = append_leaf(tape, shape);
  write_extremes<LargestFirst>(in.value, in.shape, kept.value, shape, simd::same);
  auto* found = tape.template new_records<bool>(static_cast<std::size_t>(shape.size));
  std::fill_n(found, shape.size, false);
  const BroadcastLoops<1> loops(in.shape, {shape});
  loops.for_each_run([&](const std::array<Index, 1>& at, Index x_at) {
    for (Index i = 0; i < loops.run(); ++i) {
      const Index lane = at[0] + (loops.is_stretched(0) ? 0 : i);
      const bool is_first = !found[lane] && in.value[x_at + i] == kept.value[lane];
      mask.value[x_at + i] = is_first ? T(1) : T(0);
      found[lane] |= is_first;
    }
  });
  return {mask.var, kept.var};
}

// The tangent of log_softmax: dy = t - <p, t>, the same for t and t + constant. Taken relative to the
// t of the largest entry, <p, t> has no term of that entry, so that its 1 - p is a sum of the others.
template <class T>
Var<T> push_log(const Var<T>& t, const Var<T>& p, const Marked<T>& marked) {
  const Var<T> zero = t.tape().scalar(T(0));
  const Var<T> relative = t - sum_to(where(marked.mask, t, zero), marked.kept);
  return relative - sum_to(scale(relative, p), marked.kept);
}

// Its transpose: dx = g - p <1, g>, which adds up to 0; so the part of the largest entry is minus the
// sum of the others.
template <class T>
Var<T> pull_log(const Var<T>& g, const Var<T>& p, const Marked<T>& marked) {
  const Var<T> zero = g.tape().scalar(T(0));
  const Var<T> total = broadcast_to(sum_to(g, marked.kept), g.shape());
  const Var<T> others = where(marked.mask, zero, g - scale(total, p));
  return where(marked.mask, -sum_to(others, marked.kept), others);
}

template <class T>
struct Softmax {
  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "softmax");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(kept));
    const Lanes<T> lanes = measure(tape, in, kept);
    accumulate_stretched<T>(in.value, in.shape, kept, {value, true}, weight<T>, lanes.largest,
                            inverse_sums(tape, lanes, kept.size));
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> p = rule.output();
    rule.add(0, pull_log(scale(rule.cotangent(), p), p, marked(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> p = rule.output();
    rule.set(scale(push_log(rule.tangent(0), p, marked(rule)), p));
    return true;
  }

  static Marked<T> marked(const RuleNode<T>& rule) {
    return mark_largest(rule.tape(), rule.input_node(0), rule.template attributes<NodeShape>());
  }

  static constexpr Operation<T> row{"softmax", pullback, pushforward};
};

template <class T>
struct LogSoftmax {
  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "log_softmax");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(kept));
    const Lanes<T> lanes = measure(tape, in, kept);
    T* shift = tape.new_values(kept.size);
    for (Index i = 0; i < kept.size; ++i) {
      const bool is_nothing = lanes.largest[i] == LargestFirst::last<T>;
      shift[i] = is_nothing ? -lanes.largest[i] : std::log1p(lanes.others[i]);
    }
    accumulate_stretched<T>(
        in.value, in.shape, kept, {value, true},
        [](const Batch<T>& v, const Batch<T>& m, const Batch<T>& s) {
          return xsimd::select(v == m, Batch<T>(T(0)), v - m) - s;
        },
        lanes.largest, shift);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, pull_log(rule.cotangent(), weights(rule), Softmax<T>::marked(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(push_log(rule.tangent(0), weights(rule), Softmax<T>::marked(rule)));
    return true;
  }

  static Var<T> weights(const RecordedRule<T>& rule) {
    return Softmax<T>::apply(rule.input(0), rule.template attributes<NodeShape>());
  }

  static constexpr Operation<T> row{"log_softmax", pullback, pushforward};
};

template <class T>
struct LogSumExp {
  // For the sweep of values alone; recorded rules compute the weights as a node.
  struct Saved {
    const T* largest;
    const T* inverse;
  };

  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "logsumexp");
    const Lanes<T> lanes = measure(tape, in, kept);
    const Saved saved{lanes.largest, inverse_sums(tape, lanes, kept.size)};
    const auto [var, value] = append_operation(tape, row, {x}, kept, tape.keep(saved));
    for (Index i = 0; i < kept.size; ++i) value[i] = lanes.largest[i] + std::log1p(lanes.others[i]);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> g = broadcast_to(rule.cotangent(), rule.input_node(0).shape.shape());
    rule.add(0, scale(g, weights(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(sum_to(scale(rule.tangent(0), weights(rule)), rule.output()));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    const auto [largest, inverse] = k.template attributes<Saved>();
    accumulate_stretched<T>(
        k.input(0), k.input_shape(0), k.node().shape, target,
        [](const Batch<T>& x, const Batch<T>& m, const Batch<T>& i, const Batch<T>& g) {
          return simd::strong_product<T>(g, weight<T>(x, m, i));
        },
        largest, inverse, k.cotangent());
  }

  static Var<T> weights(const RecordedRule<T>& rule) {
    return Softmax<T>::apply(rule.input(0), rule.node().shape);
  }

  static constexpr Operation<T> row{"logsumexp", pullback, pushforward, pullback_values};
};

// The shape of sums along one axis.
template <class T>
NodeShape along(const Var<T>& x, Index axis, const char* op) {
  return x.tape().keep_shape(reduced_shapes(x.shape(), std::span(&axis, 1), op).kept);
}

}  // namespace

template <class T>
Var<T> logsumexp(const Var<T>& x) {
  return LogSumExp<T>::apply(x, NodeShape{});
}

template <class T>
Var<T> logsumexp(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims) {
  return reduce_over(x, axes, keep_dims, "logsumexp", LogSumExp<T>::apply);
}

template <class T>
Var<T> softmax(const Var<T>& x, Index axis) {
  return Softmax<T>::apply(x, along(x, axis, "softmax"));
}

template <class T>
Var<T> log_softmax(const Var<T>& x, Index axis) {
  return LogSoftmax<T>::apply(x, along(x, axis, "log_softmax"));
}

#define FJORD_INSTANTIATE(T)                                                    \
  template Var<T> logsumexp(const Var<T>&);                                     \
  template Var<T> logsumexp(const Var<T>&, std::initializer_list<Index>, bool); \
  template Var<T> softmax(const Var<T>&, Index);                                \
  template Var<T> log_softmax(const Var<T>&, Index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
