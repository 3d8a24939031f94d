/// Largest and smallest entries, and where they are.
///
/// Shapes:  the axes, counted from the end if negative, become 1 with keep_dims and vanish without.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice, or if there are no
///          entries to choose from.
/// Note:    A NaN among the entries is the result, as in numpy, and takes the derivative.
///          Places are kept in the tape and end with its nodes: Tensor<Index>(argmax(x, 0)) is a
///          copy.
#pragma once

#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The largest of all entries, or over some axes. Entries that tie share the derivative equally.
template <class T>
Var<T> max(const Var<T>& x);
template <class T>
Var<T> max(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> max(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return max(x, std::span(axes.begin(), axes.size()), keep_dims);
}

/// The smallest of all entries, or over some axes. Entries that tie share the derivative equally.
template <class T>
Var<T> min(const Var<T>& x);
template <class T>
Var<T> min(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> min(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return min(x, std::span(axes.begin(), axes.size()), keep_dims);
}

/// The place of the largest entry along one axis; the first of several, and of NaNs.
///
/// Shapes:  that of x without the axis.
template <class T>
TensorView<Index> argmax(const Var<T>& x, Index axis);
/// The place of the smallest entry along one axis; the first of several, and of NaNs.
///
/// Shapes:  that of x without the axis.
template <class T>
TensorView<Index> argmin(const Var<T>& x, Index axis);

}  // namespace fjord
