/// Operations that choose, repeat or reorder entries along one axis, which counts from the end if
/// negative.
///
/// Indices are a Tensor<Index>, or a view of it as argmax and argsort give; one below 0 counts from
/// the end. They are copied, and constants to every derivative. Cotangents of an entry that is
/// taken several times add up.
/// Errors:  std::invalid_argument if an axis does not exist, an index lies outside the axis, or
///          shapes do not fit.
#pragma once

#include <optional>
#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// Entries begin, begin + step, ... of one axis, up to but not including `end`: x[begin:end:step]
/// in numpy. Bounds count from the end if negative; std::nullopt, or {}, is the first or the last
/// entry on the way, itself included.
///
/// Errors:  std::invalid_argument if step is 0, or unless 0 <= begin <= end <= size of the axis,
///          for a negative step size > begin >= end >= 0, once counted from the start. Unlike
///          numpy, no bound is moved into the axis.
template <class T>
Var<T> slice(const Var<T>& x, Index axis, std::optional<Index> begin, std::optional<Index> end,
             Index step);
/// The entries at the indices of one axis: numpy.take.
///
/// Shapes:  x's, with the shape of the indices in place of the axis.
template <class T>
Var<T> take(const Var<T>& x, const TensorView<Index>& indices, Index axis);

template <class T>
Var<T> take(const Var<T>& x, const Tensor<Index>& indices, Index axis) {
  return take(x, TensorView<Index>(indices), axis);
}

/// From each lane along the axis, the entries at the lane's own indices: numpy.take_along_axis.
///
/// Shapes:  the indices' and the result's are x's except for the axis.
template <class T>
Var<T> gather(const Var<T>& x, const TensorView<Index>& indices, Index axis);

template <class T>
Var<T> gather(const Var<T>& x, const Tensor<Index>& indices, Index axis) {
  return gather(x, TensorView<Index>(indices), axis);
}

/// x with each update added to the entry that `gather` reads at its index; several may go to one.
///
/// Shapes:  the indices' and the updates' are x's except for the axis; the result's is x's.
template <class T>
Var<T> scatter_add(const Var<T>& x, const TensorView<Index>& indices, const Var<T>& updates,
                   Index axis);

template <class T>
Var<T> scatter_add(const Var<T>& x, const Tensor<Index>& indices, const Var<T>& updates,
                   Index axis) {
  return scatter_add(x, TensorView<Index>(indices), updates, axis);
}

/// The entries of one axis in reverse.
template <class T>
Var<T> flip(const Var<T>& x, Index axis);
/// The entries of one axis moved by `shift` places; those that leave at one end return at the
/// other.
template <class T>
Var<T> roll(const Var<T>& x, Index shift, Index axis);
/// Each entry of one axis `count` times in a row.
///
/// Errors:  std::invalid_argument if count is negative.
template <class T>
Var<T> repeat(const Var<T>& x, Index count, Index axis);
/// x side by side counts[k] times along each axis k: numpy.tile.
///
/// Shapes:  of the shape and the counts, the shorter one is filled up with ones in front.
/// Errors:  std::invalid_argument if a count is negative.
template <class T>
Var<T> tile(const Var<T>& x, std::span<const Index> counts);

template <class T>
Var<T> tile(const Var<T>& x, std::initializer_list<Index> counts) {
  return tile(x, std::span(counts.begin(), counts.size()));
}

}  // namespace fjord
