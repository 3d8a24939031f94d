/// Sums over axes, and their transpose, broadcasting.
#pragma once

#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The sum of all entries, a scalar.
template <class T>
Var<T> sum(const Var<T>& x);
/// The sum over some axes.
///
/// Shapes:  the axes, counted from the end if negative, become 1 with keep_dims and vanish without.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice.
template <class T>
Var<T> sum(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false);
/// The mean of all entries, a scalar; NaN for an empty tensor.
template <class T>
Var<T> mean(const Var<T>& x);
/// Stretches x to a shape that its own broadcasts to.
///
/// Errors:  std::invalid_argument if it does not.
template <class T>
Var<T> broadcast_to(const Var<T>& x, const Shape& shape);
/// Sums x over the axes along which `like`'s shape would be stretched to x's: the transpose of
/// broadcast_to.
template <class T>
Var<T> sum_to(const Var<T>& x, const Var<T>& like);
/// The sum of the diagonal of the last two axes, as numpy.trace.
///
/// Shapes:  [..., n, m] -> [...].
template <class T>
Var<T> trace(const Var<T>& x);

}  // namespace fjord
