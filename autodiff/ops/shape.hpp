/// Other shapes of a tensor, and parts of its axes.
#pragma once

#include <optional>
#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The same entries in another shape, in the order C as in numpy.
///
/// Errors:  std::invalid_argument if the sizes differ.
template <class T>
Var<T> reshape(const Var<T>& x, const Shape& shape);
/// As above, where one size may be -1: the one that all entries fit into.
///
/// Errors:  std::invalid_argument if there is no such size, also where another size is 0.
template <class T>
Var<T> reshape(const Var<T>& x, std::span<const Index> sizes);

template <class T>
Var<T> reshape(const Var<T>& x, std::initializer_list<Index> sizes) {
  return reshape(x, std::span(sizes.begin(), sizes.size()));
}

/// Entries begin, begin + 1, ..., end - 1 of one axis: x[begin:end] in numpy. Bounds count from the
/// end if negative; std::nullopt, or {}, is the first or the last entry, itself included.
///
/// Errors:  std::invalid_argument unless 0 <= begin <= end <= size of the axis, once counted from
///          the start. Unlike numpy, no bound is moved into the axis.
/// Note:    x[i] is entry i of axis 0, without the axis.
template <class T>
Var<T> slice(const Var<T>& x, Index axis, std::optional<Index> begin, std::optional<Index> end);
/// Joins tensors along an axis that exists.
///
/// Errors:  std::invalid_argument if there is none, or if their other sizes differ.
template <class T>
Var<T> concatenate(std::span<const Var<T>> parts, Index axis);

template <class T>
Var<T> concatenate(std::initializer_list<Var<T>> parts, Index axis) {
  return concatenate(std::span<const Var<T>>(parts.begin(), parts.size()), axis);
}

}  // namespace fjord
