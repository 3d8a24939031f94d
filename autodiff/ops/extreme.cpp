#include "fjord/autodiff/ops/extreme.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/axis_layout.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/reduction.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

template <class T, class First>
struct Extreme {
  using Batch = simd::Batch<T>;

  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, First::name);
    require(in.shape.size > 0 || kept.size == 0, First::name, [&] {
      return "at least one entry is needed, got shape " + to_string(in.shape.shape());
    });
    const auto [var, value] = append_operation(tape, row, {x}, kept);
    write_extremes<First>(in.value, in.shape, value, kept, simd::same);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto [mask, inverse_count] = ties(rule);
    rule.add(0, where(mask, scale(rule.cotangent(), inverse_count), masked(rule.tape())));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto [mask, inverse_count] = ties(rule);
    const Var<T> chosen = where(mask, rule.tangent(0), masked(rule.tape()));
    rule.set(scale(sum_to(chosen, rule.output()), inverse_count));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    T* share = k.take(k.size());
    count_ties(k.input(0), k.input_shape(0), k.output(), share, k.node().shape);
    simd::transform(
        k.size(), share,
        [](const Batch& g, const Batch& count) { return simd::strong_product<T>(g, T(1) / count); },
        k.cotangent(), static_cast<const T*>(share));
    accumulate_stretched<T>(
        k.input(0), k.input_shape(0), k.node().shape, target,
        [](const Batch& x, const Batch& y, const Batch& s) {
          return xsimd::select(is_tied(x, y), s, Batch(simd::masked_zero<T>));
        },
        k.output(), share);
    k.give_back(share, k.size());
  }

  static constexpr Operation<T> row{First::name, pullback, pushforward, pullback_values};

 private:
  // Which entries are the extreme, and one over their number: constants, but at single points.
  struct Ties {
    Var<T> mask;
    Var<T> inverse_count;
  };

  static Ties ties(const RecordedRule<T>& rule) {
    const Node<T> in = rule.input_node(0);
    const Node<T> out = rule.node();
    T* mask = rule.tape().new_values(in.shape.size);
    accumulate_stretched<T>(in.value, in.shape, out.shape, {mask, true}, one_if_tied, out.value);
    T* inverse = rule.tape().new_values(out.shape.size);
    count_ties(in.value, in.shape, out.value, inverse, out.shape);
    simd::transform(
        out.shape.size, inverse, [](const Batch& count) { return T(1) / count; },
        static_cast<const T*>(inverse));
    return {rule.tape().borrow(in.shape, mask), rule.tape().borrow(out.shape, inverse)};
  }

  static void count_ties(const T* x, const NodeShape& shape, const T* y, T* count,
                         const NodeShape& kept) {
    sum_to_lanes({x}, shape, Lanes<T>{count, kept, true}, one_if_tied, y);
  }

  static auto is_tied(const Batch& x, const Batch& y) {
    // NaNs tie, too. Negated == rather than !=, which is not its opposite on every processor.
    return (x == y) | ~((x == x) | (y == y));
  }

  static Batch one_if_tied(const Batch& x, const Batch& y) {
    return xsimd::select(is_tied(x, y), Batch(T(1)), Batch(T(0)));
  }
};

// Whether x is more extreme than the best so far; the first NaN is the best of all.
template <class First, class T>
bool replaces(T best, T x) {
  return !First::is_at_least(best, x) && !std::isnan(best);
}

template <class First, class T>
TensorView<Index> place_of_extreme(const Var<T>& x, Index axis, const char* op) {
  const Node<T> in = x.tape().node(x, op);
  const std::size_t k = normalized_axis(axis, in.shape.rank, op);
  const AxisLayout layout(in.shape, k);
  const Index count = in.shape[k];
  const Shape shape = in.shape.shape().without_axis(k);
  require(count > 0 || shape.size() == 0, op,
          [&] { return "at least one entry is needed, got shape " + to_string(in.shape.shape()); });
  Tape<T>& tape = x.tape();
  auto* places = tape.template new_records<Index>(static_cast<std::size_t>(shape.size()));
  std::fill_n(places, shape.size(), Index{0});
  T* best = tape.template new_records<T>(static_cast<std::size_t>(layout.inner));
  for (Index o = 0; o < layout.outer; ++o) {
    const T* lanes = in.value + o * count * layout.inner;
    Index* place = places + o * layout.inner;
    std::copy_n(lanes, layout.inner, best);
    for (Index j = 1; j < count; ++j) {
      const T* entries = lanes + j * layout.inner;
      for (Index i = 0; i < layout.inner; ++i) {
        const bool better = replaces<First>(best[i], entries[i]);
        best[i] = better ? entries[i] : best[i];
        place[i] = better ? j : place[i];
      }
    }
  }
  return {places, shape, Order::column_major};
}

}  // namespace

template <class T>
Var<T> max(const Var<T>& x) {
  return Extreme<T, LargestFirst>::apply(x, NodeShape{});
}

template <class T>
Var<T> max(const Var<T>& x, std::span<const Index> axes, bool keep_dims) {
  return reduce_over(x, axes, keep_dims, "max", Extreme<T, LargestFirst>::apply);
}

template <class T>
Var<T> min(const Var<T>& x) {
  return Extreme<T, SmallestFirst>::apply(x, NodeShape{});
}

template <class T>
Var<T> min(const Var<T>& x, std::span<const Index> axes, bool keep_dims) {
  return reduce_over(x, axes, keep_dims, "min", Extreme<T, SmallestFirst>::apply);
}

template <class T>
TensorView<Index> argmax(const Var<T>& x, Index axis) {
  return place_of_extreme<LargestFirst>(x, axis, "argmax");
}

template <class T>
TensorView<Index> argmin(const Var<T>& x, Index axis) {
  return place_of_extreme<SmallestFirst>(x, axis, "argmin");
}

#define FJORD_INSTANTIATE(T)                                        \
  template Var<T> max(const Var<T>&);                               \
  template Var<T> max(const Var<T>&, std::span<const Index>, bool); \
  template Var<T> min(const Var<T>&);                               \
  template Var<T> min(const Var<T>&, std::span<const Index>, bool); \
  template TensorView<Index> argmax(const Var<T>&, Index);          \
  template TensorView<Index> argmin(const Var<T>&, Index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
