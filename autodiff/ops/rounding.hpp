/// Magnitude, sign and rounding, elementwise.
#pragma once

#include <type_traits>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// |x|; the derivative is 0 at 0.
template <class T>
Var<T> abs(const Var<T>& x);
/// -1, 0 or 1; no derivative flows.
template <class T>
Var<T> sign(const Var<T>& x);
/// The largest whole number that is at most x; no derivative flows.
template <class T>
Var<T> floor(const Var<T>& x);
/// The smallest whole number that is at least x; no derivative flows.
template <class T>
Var<T> ceil(const Var<T>& x);
/// The nearest whole number, of two the even one; no derivative flows.
template <class T>
Var<T> round(const Var<T>& x);
/// a - n b, with a / b cut to the whole number n: the remainder with the sign of a, as numpy.fmod.
///
/// Shapes:  broadcast.
/// Note:    The derivatives are 1 in a and -n in b, also where n jumps.
template <class T>
Var<T> fmod(const Var<T>& a, const Var<T>& b);

template <class T>
Var<T> fmod(const Var<T>& x, std::type_identity_t<T> c) {
  return fmod(x, x.tape().scalar(c));
}

template <class T>
Var<T> fmod(std::type_identity_t<T> a, const Var<T>& b) {
  return fmod(b.tape().scalar(a), b);
}

}  // namespace fjord
