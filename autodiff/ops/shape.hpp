/// Operations that move entries and change no number.
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
/// Exchanges two axes.
template <class T>
Var<T> swap_axes(const Var<T>& x, Index a, Index b);
/// Reorders the axes: axis k of the result is axis axes[k] of x. Without a list they are reversed.
///
/// Errors:  std::invalid_argument unless every axis of x is named once.
template <class T>
Var<T> transpose(const Var<T>& x, std::span<const Index> axes);

template <class T>
Var<T> transpose(const Var<T>& x, std::initializer_list<Index> axes) {
  return transpose(x, std::span(axes.begin(), axes.size()));
}

template <class T>
Var<T> transpose(const Var<T>& x);

}  // namespace fjord
