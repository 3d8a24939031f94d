/// Lengths of vectors.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The Euclidean length of all entries together; or over some axes, whose entries form one vector
/// each.
///
/// Huge and tiny entries neither overflow nor underflow. At 0 all derivatives are 0.
/// Shapes:  the axes, counted from the end if negative, become 1 with keep_dims and vanish without.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice.
template <class T>
Var<T> norm(const Var<T>& x);
template <class T>
Var<T> norm(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false);

}  // namespace fjord
