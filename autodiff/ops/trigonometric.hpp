/// Trigonometric functions, elementwise, of angles in radians, and their inverses.
#pragma once

#include <type_traits>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

template <class T>
Var<T> sin(const Var<T>& x);
template <class T>
Var<T> cos(const Var<T>& x);
template <class T>
Var<T> tan(const Var<T>& x);
/// NaN outside [-1, 1]; the derivative at its ends is infinite.
template <class T>
Var<T> asin(const Var<T>& x);
/// NaN outside [-1, 1]; the derivative at its ends is minus infinite.
template <class T>
Var<T> acos(const Var<T>& x);
template <class T>
Var<T> atan(const Var<T>& x);
/// The angle from the first axis to the point (x, y), in [-pi, pi]; y comes first, as in numpy.
///
/// Shapes:  broadcast.
/// Note:    The derivatives at the origin are 0.
template <class T>
Var<T> atan2(const Var<T>& y, const Var<T>& x);
/// sqrt(a^2 + b^2) without overflow or underflow in between.
///
/// Shapes:  broadcast.
/// Note:    The derivatives at the origin are 0.
template <class T>
Var<T> hypot(const Var<T>& a, const Var<T>& b);
/// sin(pi x) / (pi x) as in numpy; 1 at 0, and smooth there in every derivative; 0 at infinity.
template <class T>
Var<T> sinc(const Var<T>& x);

template <class T>
Var<T> atan2(const Var<T>& a, std::type_identity_t<T> b) {
  return atan2(a, a.tape().scalar(b));
}

template <class T>
Var<T> atan2(std::type_identity_t<T> a, const Var<T>& b) {
  return atan2(b.tape().scalar(a), b);
}

template <class T>
Var<T> hypot(const Var<T>& a, std::type_identity_t<T> b) {
  return hypot(a, a.tape().scalar(b));
}

template <class T>
Var<T> hypot(std::type_identity_t<T> a, const Var<T>& b) {
  return hypot(b.tape().scalar(a), b);
}

}  // namespace fjord
