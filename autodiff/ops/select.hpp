/// Masks, and the choices that they make; broadcast as in numpy.
///
/// Masks hold 1 where a statement is true and 0 where it is not; no derivative flows through them.
#pragma once

#include <type_traits>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// 1 where a > b, else 0; NaN gives 0.
template <class T>
Var<T> operator>(const Var<T>& a, const Var<T>& b);
/// 1 where a >= b, else 0; NaN gives 0.
template <class T>
Var<T> operator>=(const Var<T>& a, const Var<T>& b);
/// 1 where a = b, else 0; 0 and -0 are equal, NaN equals nothing.
template <class T>
Var<T> equal(const Var<T>& a, const Var<T>& b);
/// 1 where a and b differ, else 0; NaN differs from everything, itself included.
template <class T>
Var<T> not_equal(const Var<T>& a, const Var<T>& b);

template <class T>
Var<T> operator<(const Var<T>& a, const Var<T>& b) {
  return b > a;
}

template <class T>
Var<T> operator<=(const Var<T>& a, const Var<T>& b) {
  return b >= a;
}

template <class T>
Var<T> operator>(const Var<T>& x, std::type_identity_t<T> c) {
  return x > x.tape().scalar(c);
}

template <class T>
Var<T> operator>=(const Var<T>& x, std::type_identity_t<T> c) {
  return x >= x.tape().scalar(c);
}

template <class T>
Var<T> operator<(const Var<T>& x, std::type_identity_t<T> c) {
  return x.tape().scalar(c) > x;
}

template <class T>
Var<T> operator<=(const Var<T>& x, std::type_identity_t<T> c) {
  return x.tape().scalar(c) >= x;
}

template <class T>
Var<T> equal(const Var<T>& x, std::type_identity_t<T> c) {
  return equal(x, x.tape().scalar(c));
}

template <class T>
Var<T> not_equal(const Var<T>& x, std::type_identity_t<T> c) {
  return not_equal(x, x.tape().scalar(c));
}

template <class T>
Var<T> operator>(std::type_identity_t<T> a, const Var<T>& b) {
  return operator>(b.tape().scalar(a), b);
}

template <class T>
Var<T> operator>=(std::type_identity_t<T> a, const Var<T>& b) {
  return operator>=(b.tape().scalar(a), b);
}

template <class T>
Var<T> operator<(std::type_identity_t<T> a, const Var<T>& b) {
  return operator<(b.tape().scalar(a), b);
}

template <class T>
Var<T> operator<=(std::type_identity_t<T> a, const Var<T>& b) {
  return operator<=(b.tape().scalar(a), b);
}

template <class T>
Var<T> equal(std::type_identity_t<T> a, const Var<T>& b) {
  return equal(b.tape().scalar(a), b);
}

template <class T>
Var<T> not_equal(std::type_identity_t<T> a, const Var<T>& b) {
  return not_equal(b.tape().scalar(a), b);
}

/// a where the mask is not 0, else b; nothing flows to the side that was not chosen, whatever it
/// holds.
template <class T>
Var<T> where(const Var<T>& mask, const Var<T>& a, const Var<T>& b);

template <class T>
Var<T> where(const Var<T>& mask, const Var<T>& a, std::type_identity_t<T> b) {
  return where(mask, a, mask.tape().scalar(b));
}

template <class T>
Var<T> where(const Var<T>& mask, std::type_identity_t<T> a, const Var<T>& b) {
  return where(mask, mask.tape().scalar(a), b);
}

template <class T>
Var<T> where(const Var<T>& mask, std::type_identity_t<T> a, std::type_identity_t<T> b) {
  return where(mask, mask.tape().scalar(a), mask.tape().scalar(b));
}

/// The larger of a and b, NaN where either is, as in numpy; the derivative goes to the one that is
/// the result, half to each where both are.
template <class T>
Var<T> maximum(const Var<T>& a, const Var<T>& b);
/// The smaller of a and b; NaN and ties as for maximum.
template <class T>
Var<T> minimum(const Var<T>& a, const Var<T>& b);

template <class T>
Var<T> maximum(const Var<T>& x, std::type_identity_t<T> c) {
  return maximum(x, x.tape().scalar(c));
}

template <class T>
Var<T> minimum(const Var<T>& x, std::type_identity_t<T> c) {
  return minimum(x, x.tape().scalar(c));
}

template <class T>
Var<T> maximum(std::type_identity_t<T> a, const Var<T>& b) {
  return maximum(b.tape().scalar(a), b);
}

template <class T>
Var<T> minimum(std::type_identity_t<T> a, const Var<T>& b) {
  return minimum(b.tape().scalar(a), b);
}

/// x, held between two numbers; its derivative is 1 from low to high, both included, and 0 outside.
///
/// Errors:  std::invalid_argument unless low <= high.
template <class T>
Var<T> clamp(const Var<T>& x, std::type_identity_t<T> low, std::type_identity_t<T> high);

}  // namespace fjord
