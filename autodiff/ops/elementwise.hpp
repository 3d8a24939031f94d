/// Elementwise operations, broadcast as in numpy.
///
/// Shapes:  the operands' shapes, broadcast against each other.
/// Errors:  every operation throws std::invalid_argument if shapes do not broadcast, or if a handle
///          is empty, ended, or of another tape than its fellow.
#pragma once

#include <type_traits>

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
Var<T> operator+(const Var<T>& a, const Var<T>& b);
template <class T>
Var<T> operator-(const Var<T>& a, const Var<T>& b);
template <class T>
Var<T> operator*(const Var<T>& a, const Var<T>& b);
template <class T>
Var<T> operator/(const Var<T>& a, const Var<T>& b);
template <class T>
Var<T> operator-(const Var<T>& x);

template <class T>
Var<T> operator+(const Var<T>& x, std::type_identity_t<T> c);
template <class T>
Var<T> operator-(std::type_identity_t<T> c, const Var<T>& x);
template <class T>
Var<T> operator*(const Var<T>& x, std::type_identity_t<T> c);
template <class T>
Var<T> operator/(const Var<T>& x, std::type_identity_t<T> c);
template <class T>
Var<T> operator/(std::type_identity_t<T> c, const Var<T>& x);

template <class T>
Var<T> operator+(std::type_identity_t<T> c, const Var<T>& x) {
  return x + c;
}

template <class T>
Var<T> operator-(const Var<T>& x, std::type_identity_t<T> c) {
  return x + (-c);
}

template <class T>
Var<T> operator*(std::type_identity_t<T> c, const Var<T>& x) {
  return x * c;
}

/// The in-place forms record a new node and let the handle name it; other handles of the old node
/// stay.
template <class T>
Var<T>& operator+=(Var<T>& a, const Var<T>& b) {
  return a = a + b;
}

template <class T>
Var<T>& operator-=(Var<T>& a, const Var<T>& b) {
  return a = a - b;
}

template <class T>
Var<T>& operator*=(Var<T>& a, const Var<T>& b) {
  return a = a * b;
}

template <class T>
Var<T>& operator/=(Var<T>& a, const Var<T>& b) {
  return a = a / b;
}

template <class T>
Var<T>& operator+=(Var<T>& x, std::type_identity_t<T> c) {
  return x = x + c;
}

template <class T>
Var<T>& operator-=(Var<T>& x, std::type_identity_t<T> c) {
  return x = x - c;
}

template <class T>
Var<T>& operator*=(Var<T>& x, std::type_identity_t<T> c) {
  return x = x * c;
}

template <class T>
Var<T>& operator/=(Var<T>& x, std::type_identity_t<T> c) {
  return x = x / c;
}

template <class T>
Var<T> reciprocal(const Var<T>& x);
template <class T>
Var<T> square(const Var<T>& x);
/// The square root; its derivative at 0 is infinite, and NaN below 0.
template <class T>
Var<T> sqrt(const Var<T>& x);

/// The derivative g times the slope d: the product of derivative rules.
///
/// A masked zero of g, which is -0, stays, also where d is infinite or NaN: a selection did not
/// choose that entry, and nothing depends on it. Any other zero of the result is +0.
/// Shapes:  d [...]; g of d's shape, or several stacked as `stacked_shape` says; the result as g.
template <class T>
Var<T> scale(const Var<T>& g, const Var<T>& d);
/// scale(g, d) + scale(h, e), as one operation.
///
/// Shapes:  those of scale; g and h have one shape, d and e one.
template <class T>
Var<T> scale_sum(const Var<T>& g, const Var<T>& d, const Var<T>& h, const Var<T>& e);

/// The same node again: a fresh leaf of the graph through which derivatives flow unchanged.
template <class T>
Var<T> identity(const Var<T>& x);
/// The value of x as a new leaf: no derivative flows.
template <class T>
Var<T> stop_gradient(const Var<T>& x);

}  // namespace fjord
