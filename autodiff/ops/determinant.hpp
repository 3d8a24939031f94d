/// Determinants.
///
/// Shapes:  [..., n, n] -> [...]; the determinant of a matrix [0, 0] is 1.
/// Errors:  std::invalid_argument if the shape does not fit.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The determinant.
///
/// Derivatives of every order are right for every matrix, singular ones of any rank included: the
/// gradient is the matrix of cofactors, not det(A) A^-T. Rows and columns may
/// differ in size by any factor: no partial product leaves the range of numbers.
/// Source:  Bird, A simple division-free algorithm for computing determinants, 2011, for n <= 3 and
///          for what the small singular values of a larger matrix span.
/// Note:    Takes some n^3 operations, and k^4 for a matrix with k small singular values.
template <class T>
Var<T> det(const Var<T>& a);

/// The logarithm of the determinant: -inf where it is 0, NaN where it is negative.
///
/// Note:    The derivative of a singular matrix is infinite or NaN.
template <class T>
Var<T> log_det(const Var<T>& a);

/// What `slogdet` gives: det = sign exp(log_abs).
template <class T>
struct SignLogDet {
  Var<T> sign;     ///< 1, -1 or 0; no derivative flows
  Var<T> log_abs;  ///< -inf for a singular matrix
};

/// The sign of the determinant, and the logarithm of its absolute value.
///
/// Note:    As for log_det.
template <class T>
SignLogDet<T> slogdet(const Var<T>& a);

}  // namespace fjord
