/// Lengths of vectors.
#pragma once

#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The length of all entries together, or over some axes, whose entries form one vector each:
/// (sum of |x|^order)^(1/order); of infinite order, the largest |x|.
///
/// Huge and tiny entries neither overflow nor underflow. All derivatives of a vector of zeros are
/// 0; of largest entries that tie, each has an equal share.
/// Shapes:  the axes, counted from the end if negative, become 1 with keep_dims and vanish without.
///          Two axes form one vector, too: this is not a matrix norm.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice, if order is not in
///          [1, inf], or if there is no largest entry.
template <class T>
Var<T> norm(const Var<T>& x, double order = 2);
template <class T>
Var<T> norm(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false, double order = 2);

template <class T>
Var<T> norm(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false,
            double order = 2) {
  return norm(x, std::span(axes.begin(), axes.size()), keep_dims, order);
}

/// The sum of the squares of all entries, or over some axes: sum(square(x)) without keeping the
/// squares.
///
/// Shapes:  as norm.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice.
template <class T>
Var<T> sum_squares(const Var<T>& x);
template <class T>
Var<T> sum_squares(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> sum_squares(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return sum_squares(x, std::span(axes.begin(), axes.size()), keep_dims);
}

}  // namespace fjord
