/// Functions of square matrices.
///
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape does not fit.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The exponential of every matrix: the sum of A^k / k!.
///
/// Source:  Higham, The scaling and squaring method for the matrix exponential revisited, 2005;
///          scaled a little further, so that derivatives keep their digits (Al-Mohy & Higham,
///          Computing the Frechet derivative of the matrix exponential, 2009). Squares of what
///          differs little from 1 are taken of the difference, so that stiff matrices keep their
///          digits. Every matrix of a batch is scaled by its own norm.
template <class T>
Var<T> matrix_exp(const Var<T>& a);

/// A A ... A, `exponent` times; the identity for 0; of the inverse for a negative exponent.
///
/// Errors:  NumericalError if the exponent is negative and a matrix is singular.
template <class T>
Var<T> matrix_power(const Var<T>& a, int exponent);

}  // namespace fjord
