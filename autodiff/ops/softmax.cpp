#include "fjord/autodiff/ops/softmax.hpp"

#include "fjord/autodiff/kernels/simd_exponential.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/reduction.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

template <class T>
using Batch = simd::Batch<T>;

template <class T>
Batch<T> one_if_equal(const Batch<T>& x, const Batch<T>& y) {
  return xsimd::select(x == y, Batch<T>(T(1)), Batch<T>(T(0)));
}

// Of each lane (the entries that share one sum): its largest entry m, and the sum of exp(x - m) of
// all its entries but one that is m, which keeps its digits where that one is nearly all.
template <class T>
struct Measures {
  const T* largest;
  const T* others;
};

template <class T>
Measures<T> measure(Tape<T>& tape, const Node<T>& in, const NodeShape& kept) {
  T* largest = tape.new_values(kept.size);
  T* others = tape.new_values(kept.size);
  T* ties = tape.new_values(kept.size);
  write_extremes<LargestFirst>(in.value, in.shape, largest, kept, simd::same);
  const auto term = [](const Batch<T>& x, const Batch<T>& m) {
    return xsimd::select(x == m, Batch<T>(T(0)), simd::exp(x - m));
  };
  sum_to_lanes({in.value}, in.shape, Lanes<T>{others, kept, true}, term, largest);
  sum_to_lanes({in.value}, in.shape, Lanes<T>{ties, kept, true}, one_if_equal<T>, largest);
  for (Index i = 0; i < kept.size; ++i) others[i] += ties[i] - T(1);
  return {largest, others};
}

// One over the sum of a lane; 0 where all terms are -inf.
template <class T>
const T* inverse_sums(Tape<T>& tape, const Measures<T>& lanes, Index count) {
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
  return xsimd::select(x == m, Batch<T>(T(1)), simd::exp(x - m)) * inverse;
}

// The largest entry of each lane where no other is equal to it, else NaN.
template <class T>
void write_single_largest(const T* x, const NodeShape& shape, T* single, T* ties,
                          const NodeShape& kept) {
  write_extremes<LargestFirst>(x, shape, single, kept, simd::same);
  const T* const largest = single;
  sum_to_lanes({x}, shape, Lanes<T>{ties, kept, true}, one_if_equal<T>, largest);
  for (Index i = 0; i < kept.size; ++i) {
    if (ties[i] != 1) single[i] = std::numeric_limits<T>::quiet_NaN();
  }
}

// What the rules of softmax and log_softmax need.
template <class T>
struct Marked {
  Var<T> mask;  // 1 at the single largest entry of a lane
  Var<T> kept;  // of the shape of the lanes
};

template <class T>
Marked<T> mark_largest(const RecordedRule<T>& rule) {
  Tape<T>& tape = rule.tape();
  const Node<T> in = rule.input_node(0);
  const auto& kept = rule.template attributes<NodeShape>();
  T* numbers = tape.new_values(kept.size);
  write_single_largest(in.value, in.shape, numbers, tape.new_values(kept.size), kept);
  const Var<T> single = tape.borrow(kept, numbers);
  return {equal(rule.input(0), single), single};
}

// The tangent of log_softmax: dy = t - <p, t>, the same for t and t + constant. Taken relative to
// the t of the largest entry, <p, t> has no term of that entry, so that its 1 - p is a sum of the
// others. (Of two that are the largest, neither has a p near 1.)
template <class T>
Var<T> push_log(const Var<T>& t, const Var<T>& p, const Marked<T>& marked) {
  const Var<T> nothing = masked(t.tape());
  const Var<T> of_largest = sum_to(where(marked.mask, t, nothing), marked.kept);
  const Var<T> relative = where(marked.mask, nothing, difference_of(t, of_largest));
  return difference_of(relative, sum_to(scale(relative, p), marked.kept));
}

// Its transpose: dx = g - p <1, g>, which adds up to 0; so the part of the largest entry is minus
// the sum of the others.
template <class T>
Var<T> pull_log(const Var<T>& g, const Var<T>& p, const Marked<T>& marked) {
  const Var<T> total = broadcast_to(sum_to(g, marked.kept), g.shape());
  const Var<T> others = where(marked.mask, masked(g.tape()), difference_of(g, scale(total, p)));
  return where(marked.mask, negated(sum_to(others, marked.kept)), others);
}

// The same in values: `factor(g, y)` is the cotangent of log_softmax, `weight_of(y)` is p.
template <class T, class Factor, class Weight>
void pull_log_values(ReverseKernel<T>& k, Factor factor, Weight weight_of) {
  const Target<T> target = k.target(0);
  if (!target) return;
  const auto& kept = k.template attributes<NodeShape>();
  const NodeShape& shape = k.node().shape;
  T* single = k.take(kept.size);
  T* total = k.take(kept.size);
  T* others = k.take(kept.size);
  write_single_largest(k.input(0), shape, single, total, kept);
  const T* x = k.input(0);
  const T* g = k.cotangent();
  const T* y = k.output();
  sum_to_lanes({g, y}, shape, Lanes<T>{total, kept, true}, factor);
  const auto part = [&](const Batch<T>& gi, const Batch<T>& yi, const Batch<T>& sum) {
    return factor(gi, yi) + simd::negated(simd::strong_product<T>(sum, weight_of(yi)));
  };
  const auto unless_single = [&](const Batch<T>& xi, const Batch<T>& gi, const Batch<T>& yi,
                                 const Batch<T>& largest, const Batch<T>& sum) {
    return xsimd::select(xi == largest, Batch<T>(simd::masked_zero<T>), part(gi, yi, sum));
  };
  sum_to_lanes({x, g, y}, shape, Lanes<T>{others, kept, true}, unless_single,
               static_cast<const T*>(single), static_cast<const T*>(total));
  for_each_lane_run(shape, kept, [&](Index n, Index at, Index lane, auto repeated) {
    const auto all = [&](const Batch<T>& xi, const Batch<T>& gi, const Batch<T>& yi,
                         const Batch<T>& largest, const Batch<T>& sum, const Batch<T>& rest) {
      return xsimd::select(xi == largest, simd::negated(rest), part(gi, yi, sum));
    };
    simd::accumulate(n, target.data + at, target.fresh, all, x + at, g + at, y + at,
                     beside<T>(repeated, single + lane), beside<T>(repeated, total + lane),
                     beside<T>(repeated, others + lane));
  });
  for (T* memory : {single, total, others}) k.give_back(memory, kept.size);
}

template <class T>
struct Softmax {
  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "softmax");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(kept));
    const Measures<T> lanes = measure(tape, in, kept);
    accumulate_stretched<T>(in.value, in.shape, kept, {value, true}, weight<T>, lanes.largest,
                            inverse_sums(tape, lanes, kept.size));
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> p = rule.output();
    rule.add(0, pull_log(scale(rule.cotangent(), p), p, mark_largest(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> p = rule.output();
    rule.set(scale(push_log(rule.tangent(0), p, mark_largest(rule)), p));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    pull_log_values(k, simd::strong_product<T>, simd::same);
  }

  static constexpr Operation<T> row{"softmax", pullback, pushforward, pullback_values};
};

template <class T>
struct LogSoftmax {
  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "log_softmax");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(kept));
    const Measures<T> lanes = measure(tape, in, kept);
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
    rule.add(0, pull_log(rule.cotangent(), weights(rule), mark_largest(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(push_log(rule.tangent(0), weights(rule), mark_largest(rule)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    pull_log_values(
        k, [](const Batch<T>& g, const Batch<T>&) { return g; },
        [](const Batch<T>& y) { return simd::exp(y); });
  }

  static Var<T> weights(const RecordedRule<T>& rule) {
    return Softmax<T>::apply(rule.input(0), rule.template attributes<NodeShape>());
  }

  static constexpr Operation<T> row{"log_softmax", pullback, pushforward, pullback_values};
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
    const Measures<T> lanes = measure(tape, in, kept);
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
Var<T> logsumexp(const Var<T>& x, std::span<const Index> axes, bool keep_dims) {
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

#define FJORD_INSTANTIATE(T)                                              \
  template Var<T> logsumexp(const Var<T>&);                               \
  template Var<T> logsumexp(const Var<T>&, std::span<const Index>, bool); \
  template Var<T> softmax(const Var<T>&, Index);                          \
  template Var<T> log_softmax(const Var<T>&, Index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
