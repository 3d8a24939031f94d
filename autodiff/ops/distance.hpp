/// Distances between points, and covariance functions of them.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The squared distances between all rows of x and all of y, from the differences of their entries:
/// exactly 0 between equal rows, and accurate between near ones, in every order of derivative.
///
/// Shapes:  x [N, D], y [M, D] -> [N, M].
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> squared_distances(const Var<T>& x, const Var<T>& y);

/// The Matern covariance of smoothness 1/2 between points at distance r, in units of the length
/// scale: exp(-r).
///
/// Units:   takes r^2, not negative: squared_distances(x / length, y / length), for example.
/// Note:    As a function of the points it has a peak at r = 0, where its gradient is taken as 0;
///          so the derivative in r^2, which is infinite there, is 0 by convention. Second
///          derivatives are NaN there.
/// Source:  Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006, section 4.2.
template <class T>
Var<T> matern12(const Var<T>& squared_distance);

/// The same of smoothness 3/2: (1 + s) exp(-s), s = sqrt(3) r.
///
/// Note:    As a function of the points it has two derivatives at r = 0, in every nesting: the
///          Hessian is -3 on the diagonal. In r^2 there is one, and the second is infinite.
template <class T>
Var<T> matern32(const Var<T>& squared_distance);

/// The same of smoothness 5/2: (1 + s + s^2 / 3) exp(-s), s = sqrt(5) r.
///
/// Note:    As a function of the points it has three derivatives at r = 0, in every nesting: the
///          Hessian is -5/3 on the diagonal. In r^2 there are two, and the third is infinite.
template <class T>
Var<T> matern52(const Var<T>& squared_distance);

}  // namespace fjord
