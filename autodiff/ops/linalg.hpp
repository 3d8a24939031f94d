/// Matrix products.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The matrix products of a and b, as numpy.matmul.
///
/// Shapes:  a [..., m, k] and b [..., k, n], whose leading axes are broadcast: [..., m, n]. A
///          vector a [k] is one row and a vector b [k] one column; the result lacks that axis.
/// Errors:  std::invalid_argument if the shapes do not match.
/// Note:    One matrix b [k, n] is applied to all rows of a at once, whatever its leading axes.
///          Other operands are stretched in memory to the common batch: for one matrix a, `einsum`
///          is cheaper.
template <class T>
Var<T> matmul(const Var<T>& a, const Var<T>& b);

/// y + h (w_1 x_1 + w_2 x_2 + ...): the step of a Runge-Kutta method, as one operation.
///
/// Shapes:  h a scalar; the terms and the result have y's shape; one weight for each term.
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> add_combination(const Var<T>& y, const Var<T>& h, std::span<const double> weights,
                       std::span<const Var<T>> terms);

}  // namespace fjord
