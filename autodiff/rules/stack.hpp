/// Sums over stacked derivatives.
#pragma once

#include "fjord/autodiff/kernels/lane_sums.hpp"
#include "fjord/autodiff/operation.hpp"

namespace fjord::rules {

using namespace kernels;

/// Adds to `out`, of shape `single`, the sum of f(x, y) over the stack of both, or f(x, y) itself
/// if their shape `whole` is `single`: see stacked_shape.
template <class T, class F>
void sum_stack(const Target<T>& out, const NodeShape& whole, const NodeShape& single, F f,
               const T* x, const T* y) {
  if (whole.rank == single.rank) return simd::accumulate(whole.size, out.data, out.fresh, f, x, y);
  const Shape one = stacked_shape(single.shape(), 1);
  const NodeShape lanes{one.begin(), one.size(), static_cast<std::uint32_t>(one.rank())};
  sum_to_lanes({x, y}, whole, Lanes<T>{out.data, lanes, out.fresh}, f);
}

}  // namespace fjord::rules
