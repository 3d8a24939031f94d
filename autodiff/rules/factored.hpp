/// Solves of linear systems that rules are made of: nothing is checked, a zero pivot divides.
#pragma once

#include "fjord/autodiff/kernels/lapack.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord::rules {

using namespace kernels;

/// What factor_lu left of every matrix of a node, one after another: what such a node holds as its
/// attributes.
template <class T>
struct LuFactors {
  const T* lu;
  const int* pivots;
};

enum class Singular { refused, allowed };

/// The same matrices as a node that keeps their LU factors; itself if it does already.
///
/// Errors:  std::invalid_argument in the name of `op` if they are not square; NumericalError if one
///          is singular and that is refused.
/// Note:    The factors of a matrix with an infinite entry or NaN are NaN.
template <class T>
Var<T> factored(const Var<T>& a, const char* op, Singular singular = Singular::refused);

/// The solution X of op(A) X = B, from what `factored` gave.
///
/// Shapes:  a and b have the same leading axes.
template <class T>
Var<T> solve_factored(const Var<T>& a, const Var<T>& b, bool transposed = false);
/// The same of a derivative b, whose masked columns give masked ones.
template <class T>
Var<T> solve_derivative(const Var<T>& a, const Var<T>& b, bool transposed = false);

/// The solution X of op(A) X = B, or X op(A) = B, with a triangle A.
///
/// Shapes:  a and b have the same leading axes.
template <class T>
Var<T> solve_triangle(const Var<T>& a, const Var<T>& b, const lapack::TriangleFlags& flags);
/// The same of a derivative b, whose masked columns, or on the right rows, give masked ones.
template <class T>
Var<T> solve_triangle_derivative(const Var<T>& a, const Var<T>& b,
                                 const lapack::TriangleFlags& flags);

}  // namespace fjord::rules
