#include "fjord/autodiff/ops/sort.hpp"

#include <cmath>
#include <numeric>

#include "fjord/autodiff/axis_layout.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord {
namespace {

// Calls body(order, lane) for each lane along the axis, whose order holds the places of its entries
// by size; entry j of a lane stands at lane + j * inner.
template <class T, class Body>
void for_each_order(const Node<T>& in, std::size_t axis, Body body) {
  const AxisLayout layout(in.shape, axis);
  const auto count = static_cast<std::size_t>(in.shape[axis]);
  std::vector<T> keys(count);
  std::vector<Index> order(count);
  for (Index o = 0; o < layout.outer; ++o) {
    for (Index i = 0; i < layout.inner; ++i) {
      const Index lane = o * in.shape[axis] * layout.inner + i;
      for (std::size_t j = 0; j < count; ++j)
        keys[j] = in.value[lane + static_cast<Index>(j) * layout.inner];
      std::iota(order.begin(), order.end(), Index{0});
      std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
        const T x = keys[static_cast<std::size_t>(a)];
        const T y = keys[static_cast<std::size_t>(b)];
        return x < y || (std::isnan(y) && !std::isnan(x));
      });
      body(order, lane);
    }
  }
}

// The places of the entry at `rank` in the order of each lane, or of a NaN where there is one.
template <class T>
Tensor<Index> places_of_rank(const Var<T>& x, std::size_t axis, Index rank) {
  const Node<T> in = x.tape().node(x.index());
  const Index inner = AxisLayout(in.shape, axis).inner;
  Tensor<Index> places =
      Tensor<Index>::zeros(in.shape.shape().without_axis(axis).with_axis(axis, 1));
  Index at = 0;
  for_each_order(in, axis, [&](const std::vector<Index>& order, Index lane) {
    const bool has_nan = std::isnan(in.value[lane + order.back() * inner]);
    places.data()[at++] = has_nan ? order.back() : order[static_cast<std::size_t>(rank)];
  });
  return places;
}

}  // namespace

template <class T>
Tensor<Index> argsort(const Var<T>& x, Index axis) {
  const Node<T> in = x.tape().node(x, "argsort");
  const std::size_t k = normalized_axis(axis, in.shape.rank, "argsort");
  const Index inner = AxisLayout(in.shape, k).inner;
  Tensor<Index> places = Tensor<Index>::zeros(in.shape.shape());
  for_each_order(in, k, [&](const std::vector<Index>& order, Index lane) {
    for (std::size_t j = 0; j < order.size(); ++j)
      places.data()[lane + static_cast<Index>(j) * inner] = order[j];
  });
  return places;
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

#define FJORD_INSTANTIATE(T)                            \
  template Var<T> sort(const Var<T>&, Index);           \
  template Tensor<Index> argsort(const Var<T>&, Index); \
  template Var<T> median(const Var<T>&);                \
  template Var<T> median(const Var<T>&, Index, bool);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
