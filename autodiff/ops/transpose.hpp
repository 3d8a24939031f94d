/// Operations that reorder the axes of a tensor.
#pragma once

#include <initializer_list>
#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

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
