#include "fjord/autodiff/ops/index.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/pick.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// The axis that is meant, once the handle is known to be good.
template <class T>
std::size_t axis_of(const Var<T>& x, Index axis, const char* op) {
  return normalized_axis(axis, x.tape().node(x, op).shape.rank, op);
}

Index checked_place(Index index, Index size, const char* op) {
  const Index place = index < 0 ? index + size : index;
  require(0 <= place && place < size, op, [&] {
    return "index " + std::to_string(index) + " is outside an axis of size " + std::to_string(size);
  });
  return place;
}

// A copy of the indices, column-major, that the tape keeps.
template <class T>
Index* kept(Tape<T>& tape, const TensorView<Index>& indices) {
  auto* places = tape.template new_records<Index>(static_cast<std::size_t>(indices.shape().size()));
  indices.copy_to(places, Order::column_major);
  return places;
}

// Picks of one entry each, for lanes along an axis of `shape` with indices of their own.
template <class T>
Picks lane_picks(Tape<T>& tape, const NodeShape& shape, std::size_t axis,
                 const TensorView<Index>& indices, const char* op) {
  bool fits = indices.shape().rank() == shape.rank;
  for (std::size_t k = 0; fits && k < shape.rank; ++k)
    fits = k == axis || indices.shape()[k] == shape[k];
  require(fits, op, [&] {
    return "indices must have the shape of x, " + to_string(shape.shape()) + ", except for axis " +
           std::to_string(axis) + ", got " + to_string(indices.shape());
  });
  const AxisLayout layout(shape, axis);
  const Index count = indices.shape()[axis];
  Index* places = kept(tape, indices);
  Index at = 0;
  for (Index o = 0; o < layout.outer; ++o) {
    for (Index j = 0; j < count; ++j) {
      for (Index i = 0; i < layout.inner; ++i, ++at) {
        const Index place = checked_place(places[at], shape[axis], op);
        places[at] = (o * shape[axis] + place) * layout.inner + i;
      }
    }
  }
  return {1, 1, shape.size, at, places, -1};
}

void check_count(Index count, const char* op) {
  require(count >= 0, op, [&] { return "a count must be >= 0, got " + std::to_string(count); });
}

}  // namespace

template <class T>
Var<T> slice(const Var<T>& x, Index axis, std::optional<Index> begin, std::optional<Index> end,
             Index step) {
  const std::size_t k = axis_of(x, axis, "slice");
  const Index size = x.tape().node(x.index()).shape[k];
  const auto place = [&](const std::optional<Index>& bound, Index open) {
    return !bound ? open : *bound < 0 ? *bound + size : *bound;
  };
  const Index first = place(begin, step > 0 ? 0 : size - 1);
  const Index stop = place(end, step > 0 ? size : -1);
  const bool fits = step > 0 ? 0 <= first && first <= stop && stop <= size
                             : step < 0 && size > first && first >= stop && (stop >= 0 || !end);
  require(fits, "slice", [&] {
    const auto text = [](const std::optional<Index>& b) { return b ? std::to_string(*b) : "none"; };
    return "on axis " + std::to_string(k) + " of size " + std::to_string(size) +
           ", begin <= end <= size is needed, or size > begin >= end with a negative step, got " +
           text(begin) + ", " + text(end) + " and step " + std::to_string(step);
  });
  if (step == 1) return slice(x, axis, first, stop);
  const Index reach = std::abs(stop - first);
  const Index count = reach == 0 ? 0 : 1 + std::abs((reach - 1) / step);
  return pick_along(x, k, count, [&](Index j) { return first + j * step; });
}

template <class T>
Var<T> take(const Var<T>& x, const TensorView<Index>& indices, Index axis) {
  const std::size_t k = axis_of(x, axis, "take");
  Tape<T>& tape = x.tape();
  const NodeShape in = tape.node(x.index()).shape;
  Shape shape = in.shape().without_axis(k);
  for (std::size_t i = indices.shape().rank(); i-- > 0;)
    shape = shape.with_axis(k, indices.shape()[i]);
  const Index count = indices.shape().size();
  Index* places = kept(tape, indices);
  for (Index j = 0; j < count; ++j) places[j] = checked_place(places[j], in[k], "take");
  const AxisLayout layout(in, k);
  const Index axis_of_both = indices.shape().rank() == 1 ? static_cast<Index>(k) : -1;
  return pick(x, {layout.inner, layout.outer, in[k], count, places, axis_of_both},
              tape.keep_shape(shape));
}

template <class T>
Var<T> gather(const Var<T>& x, const TensorView<Index>& indices, Index axis) {
  const std::size_t k = axis_of(x, axis, "gather");
  Tape<T>& tape = x.tape();
  const NodeShape shape = tape.node(x.index()).shape;
  return pick(x, lane_picks(tape, shape, k, indices, "gather"), tape.keep_shape(indices.shape()));
}

template <class T>
Var<T> scatter_add(const Var<T>& x, const TensorView<Index>& indices, const Var<T>& updates,
                   Index axis) {
  const std::size_t k = axis_of(x, axis, "scatter_add");
  Tape<T>& tape = x.tape();
  const NodeShape shape = tape.node(x.index()).shape;
  const Shape got = tape.node(updates, "scatter_add").shape.shape();
  require(got == indices.shape(), "scatter_add", [&] {
    return "one update for each index is needed, got shapes " + to_string(got) + " and " +
           to_string(indices.shape());
  });
  return x + spread(updates, lane_picks(tape, shape, k, indices, "scatter_add"), shape, T(0));
}

template <class T>
Var<T> flip(const Var<T>& x, Index axis) {
  const std::size_t k = axis_of(x, axis, "flip");
  const Index size = x.tape().node(x.index()).shape[k];
  return pick_along(x, k, size, [&](Index j) { return size - 1 - j; });
}

template <class T>
Var<T> roll(const Var<T>& x, Index shift, Index axis) {
  const std::size_t k = axis_of(x, axis, "roll");
  const Index size = x.tape().node(x.index()).shape[k];
  const Index back = size == 0 ? 0 : size - (shift % size);
  return pick_along(x, k, size, [&](Index j) { return (j + back) % size; });
}

template <class T>
Var<T> repeat(const Var<T>& x, Index count, Index axis) {
  const std::size_t k = axis_of(x, axis, "repeat");
  check_count(count, "repeat");
  const Index size = x.tape().node(x.index()).shape[k];
  return pick_along(
      x, k, times_size(size, count, "repeat"), [&](Index j) { return j / count; }, true);
}

template <class T>
Var<T> tile(const Var<T>& x, std::span<const Index> counts) {
  Shape shape = x.tape().node(x, "tile").shape.shape();
  while (shape.rank() < counts.size()) shape = shape.with_axis(0, 1);
  Var<T> tiled = reshape(x, shape);
  std::size_t k = shape.rank() - counts.size();
  for (const Index count : counts) {
    check_count(count, "tile");
    const Index size = shape[k];
    const Index tiled_size = times_size(size, count, "tile");
    if (count != 1)
      tiled = pick_along(
          tiled, k, tiled_size, [&](Index j) { return j % size; }, true);
    ++k;
  }
  return tiled;
}

#define FJORD_INSTANTIATE(T)                                                                      \
  template Var<T> slice(const Var<T>&, Index, std::optional<Index>, std::optional<Index>, Index); \
  template Var<T> take(const Var<T>&, const TensorView<Index>&, Index);                           \
  template Var<T> gather(const Var<T>&, const TensorView<Index>&, Index);                         \
  template Var<T> scatter_add(const Var<T>&, const TensorView<Index>&, const Var<T>&, Index);     \
  template Var<T> flip(const Var<T>&, Index);                                                     \
  template Var<T> roll(const Var<T>&, Index, Index);                                              \
  template Var<T> repeat(const Var<T>&, Index, Index);                                            \
  template Var<T> tile(const Var<T>&, std::span<const Index>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
