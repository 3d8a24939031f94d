#include "fjord/autodiff/ops/sort.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/axis_layout.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord {

using namespace kernels;

namespace {

template <class T>
bool is_before(T x, T y) {
  return x < y || (std::isnan(y) && !std::isnan(x));
}

// Calls body(order, lane) for each lane along the axis, whose order holds the places of its entries
// by size; entry j of a lane stands at lane + j * inner.
template <class T, class Body>
void for_each_order(Tape<T>& tape, const Node<T>& in, std::size_t axis, Body body) {
  const AxisLayout layout(in.shape, axis);
  const auto count = static_cast<std::size_t>(in.shape[axis]);
  const std::span<T> keys(tape.template new_records<T>(count), count);
  const std::span<Index> order(tape.template new_records<Index>(count), count);
  for (Index o = 0; o < layout.outer; ++o) {
    for (Index i = 0; i < layout.inner; ++i) {
      const Index lane = o * in.shape[axis] * layout.inner + i;
      for (std::size_t j = 0; j < count; ++j)
        keys[j] = in.value[lane + static_cast<Index>(j) * layout.inner];
      std::iota(order.begin(), order.end(), Index{0});
      // By place among equals, because std::stable_sort takes memory.
      std::sort(order.begin(), order.end(), [&](Index a, Index b) {
        const T x = keys[static_cast<std::size_t>(a)];
        const T y = keys[static_cast<std::size_t>(b)];
        return is_before(x, y) || (a < b && !is_before(y, x));
      });
      body(order, lane);
    }
  }
}

// The places of the entry at `rank` in the order of each lane, or of a NaN where there is one.
template <class T>
TensorView<Index> places_of_rank(const Var<T>& x, std::size_t axis, Index rank) {
  Tape<T>& tape = x.tape();
  const Node<T> in = tape.node(x.index());
  const Index inner = AxisLayout(in.shape, axis).inner;
  const Shape shape = in.shape.shape().without_axis(axis).with_axis(axis, 1);
  auto* places = tape.template new_records<Index>(static_cast<std::size_t>(shape.size()));
  Index at = 0;
  for_each_order(tape, in, axis, [&](std::span<const Index> order, Index lane) {
    const bool has_nan = std::isnan(in.value[lane + order.back() * inner]);
    places[at++] = has_nan ? order.back() : order[static_cast<std::size_t>(rank)];
  });
  return {places, shape, Order::column_major};
}

}  // namespace

template <class T>
TensorView<Index> argsort(const Var<T>& x, Index axis) {
  Tape<T>& tape = x.tape();
  const Node<T> in = tape.node(x, "argsort");
  const std::size_t k = normalized_axis(axis, in.shape.rank, "argsort");
  const Index inner = AxisLayout(in.shape, k).inner;
  auto* places = tape.template new_records<Index>(static_cast<std::size_t>(in.shape.size));
  for_each_order(tape, in, k, [&](std::span<const Index> order, Index lane) {
    for (std::size_t j = 0; j < order.size(); ++j)
      places[lane + static_cast<Index>(j) * inner] = order[j];
  });
  return {places, in.shape.shape(), Order::column_major};
}

template <class T>
Var<T> sort(const Var<T>& x, Index axis) {
  normalized_axis(axis, x.tape().node(x, "sort").shape.rank, "sort");
  return gather(x, argsort(x, axis), axis);
}

template <class T>
Var<T> median(const Var<T>& x) {
  return median(reshape(x, {x.shape().size()}), 0);
}

template <class T>
Var<T> median(const Var<T>& x, Index axis, bool keep_dims) {
  const Shape shape = x.tape().node(x, "median").shape.shape();
  const std::size_t k = normalized_axis(axis, shape.rank(), "median");
  const Shape lanes = shape.without_axis(k);
  const Index count = shape[k];
  require(count > 0 || lanes.size() == 0, "median",
          [&] { return "at least one entry is needed, got shape " + to_string(shape); });
  Var<T> middle = gather(x, places_of_rank(x, k, count / 2), axis);
  if (count % 2 == 0) {
    const Var<T> lower = gather(x, places_of_rank(x, k, count / 2 - 1), axis);
    middle = lower * T(0.5) + middle * T(0.5);
  }
  return keep_dims ? middle : reshape(middle, lanes);
}

#define FJORD_INSTANTIATE(T)                                \
  template Var<T> sort(const Var<T>&, Index);               \
  template TensorView<Index> argsort(const Var<T>&, Index); \
  template Var<T> median(const Var<T>&);                    \
  template Var<T> median(const Var<T>&, Index, bool);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
