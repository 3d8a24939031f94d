/// What reductions over axes share: their shapes, and running extremes that let a NaN show.
#pragma once

#include <cmath>
#include <limits>

#include "fjord/autodiff/kernels/broadcast.hpp"
#include "fjord/autodiff/kernels/lane_sums.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord::rules {

using namespace kernels;

/// The shapes of a reduction.
struct ReducedShapes {
  Shape kept;       ///< with size 1 in place of each reduced axis
  Shape dropped;    ///< without the reduced axes
  Index count = 1;  ///< how many entries make one of the result
};

/// Errors:  std::invalid_argument in the name of `op` if an axis does not exist or comes twice.
ReducedShapes reduced_shapes(const Shape& shape, std::span<const Index> axes, const char* op);

/// A reduction over some axes from reduce(x, shape), which keeps them with size 1.
///
/// Errors:  as reduced_shapes.
template <class T, class Reduce>
Var<T> reduce_over(const Var<T>& x, std::span<const Index> axes, bool keep_dims, const char* op,
                   Reduce reduce) {
  const ReducedShapes shapes = reduced_shapes(x.shape(), axes, op);
  const Var<T> kept = reduce(x, x.tape().keep_shape(shapes.kept));
  return keep_dims ? kept : reshape(kept, shapes.dropped);
}

/// The order in which the extreme is the largest entry; a NaN is more extreme than any number.
struct LargestFirst {
  static constexpr const char* name = "max";

  template <class T>
  static constexpr T last = -std::numeric_limits<T>::infinity();

  /// False if one is NaN.
  template <class V>
  static auto is_at_least(const V& best, const V& x) {
    return x <= best;
  }
};

struct SmallestFirst {
  static constexpr const char* name = "min";

  template <class T>
  static constexpr T last = std::numeric_limits<T>::infinity();

  template <class V>
  static auto is_at_least(const V& best, const V& x) {
    return best <= x;
  }
};

template <class First, class T>
T more_extreme(T best, T x) {
  return First::is_at_least(best, x) || std::isnan(best) ? best : x;
}

template <class First, class T>
simd::Batch<T> more_extreme(const simd::Batch<T>& best, const simd::Batch<T>& x) {
  return xsimd::select(First::is_at_least(best, x), best, xsimd::select(best == best, x, best));
}

/// Writes the extremes of f(x) along the axes that have size 1 in `to`; where these are empty, the
/// last of all numbers.
template <class First, class T, class F>
void write_extremes(const T* x, const NodeShape& from, T* out, const NodeShape& to, F f) {
  std::fill_n(out, to.size, First::template last<T>);
  const BroadcastLoops<1> loops(from, {to});
  loops.for_each_run([&](const std::array<Index, 1>& at, Index x_at) {
    T* best = out + at[0];
    if (!loops.is_stretched(0)) {
      const T* old = best;
      simd::transform(
          loops.run(), best,
          [&](const auto& o, const auto& v) { return more_extreme<First>(o, f(v)); }, old,
          x + x_at);
      return;
    }
    std::array<T, simd::Batch<T>::size> lanes;
    simd::fold(
        loops.run(), simd::Batch<T>(*best),
        [&](const auto& o, const auto& v) { return more_extreme<First>(o, f(v)); }, x + x_at)
        .store_unaligned(lanes.data());
    for (const T lane : lanes) *best = more_extreme<First>(*best, lane);
  });
}

/// Calls body(n, at, lane, repeated) for every run of n entries of `shape`, which begins at entry
/// `at`; its lanes, entries of `kept`, begin at `lane`, all one and the same if `repeated` is
/// std::true_type.
template <class Body>
void for_each_lane_run(const NodeShape& shape, const NodeShape& kept, Body body) {
  const BroadcastLoops<1> loops(shape, {kept});
  loops.for_each_run([&](const std::array<Index, 1>& lane, Index at) {
    if (loops.is_stretched(0)) {
      body(loops.run(), at, lane[0], std::true_type{});
    } else {
      body(loops.run(), at, lane[0], std::false_type{});
    }
  });
}

/// The numbers of the lanes of a run, next to its entries.
template <class T>
simd::Repeated<T> beside(std::true_type, const T* lanes) {
  return {lanes};
}

template <class T>
const T* beside(std::false_type, const T* lanes) {
  return lanes;
}

/// out (fresh: =, else +=) f(x, y...), the y being of the shape `kept`, stretched to that of x.
template <class T, class F, class... Y>
void accumulate_stretched(const T* x, const NodeShape& shape, const NodeShape& kept,
                          const Target<T>& out, F f, const Y*... y) {
  for_each_lane_run(shape, kept, [&](Index n, Index at, Index lane, auto repeated) {
    simd::accumulate(n, out.data + at, out.fresh, f, x + at, beside(repeated, y + lane)...);
  });
}

}  // namespace fjord::rules
