/// Sums over axes, what is made of them, and their transpose, broadcasting.
///
/// Shapes:  of a reduction, the axes, counted from the end if negative, become 1 with keep_dims and
///          vanish without.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice.
#pragma once

#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The sum of all entries, a scalar; or over some axes.
template <class T>
Var<T> sum(const Var<T>& x);
template <class T>
Var<T> sum(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> sum(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return sum(x, std::span(axes.begin(), axes.size()), keep_dims);
}

/// The mean; NaN of no entries.
template <class T>
Var<T> mean(const Var<T>& x);
template <class T>
Var<T> mean(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> mean(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return mean(x, std::span(axes.begin(), axes.size()), keep_dims);
}

/// The product; its derivatives are right at zeros, too.
template <class T>
Var<T> prod(const Var<T>& x);
template <class T>
Var<T> prod(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> prod(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return prod(x, std::span(axes.begin(), axes.size()), keep_dims);
}

/// The sum of the squares of the deviations from the mean, over count - ddof: numpy.var, whose
/// default divides by the count.
///
/// Note:    As in numpy, NaN or inf where ddof leaves no degree of freedom.
template <class T>
Var<T> variance(const Var<T>& x, Index ddof = 0);
template <class T>
Var<T> variance(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false,
                Index ddof = 0);

template <class T>
Var<T> variance(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false,
                Index ddof = 0) {
  return variance(x, std::span(axes.begin(), axes.size()), keep_dims, ddof);
}

/// The root of the variance: numpy.std. Its derivatives are 0 where all entries are equal.
template <class T>
Var<T> standard_deviation(const Var<T>& x, Index ddof = 0);
template <class T>
Var<T> standard_deviation(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false,
                          Index ddof = 0);

template <class T>
Var<T> standard_deviation(const Var<T>& x, std::initializer_list<Index> axes,
                          bool keep_dims = false, Index ddof = 0) {
  return standard_deviation(x, std::span(axes.begin(), axes.size()), keep_dims, ddof);
}

/// Stretches x to a shape that its own broadcasts to.
///
/// Errors:  std::invalid_argument if it does not.
template <class T>
Var<T> broadcast_to(const Var<T>& x, const Shape& shape);
/// Sums x over the axes along which `like`'s shape would be stretched to x's: the transpose of
/// broadcast_to.
///
/// Errors:  std::invalid_argument if it does not stretch to it.
template <class T>
Var<T> sum_to(const Var<T>& x, const Var<T>& like);
/// The sum of the diagonal of the last two axes, as numpy.trace.
///
/// Shapes:  [..., n, m] -> [...].
template <class T>
Var<T> trace(const Var<T>& x);

}  // namespace fjord
