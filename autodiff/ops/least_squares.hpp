/// Least squares and the pseudo-inverse.
///
/// Shapes:  matrices are the last two axes; all before them are a batch, broadcast.
/// Note:    A matrix has full rank if its rank is the shorter of its sides, and has not if one of
///          its columns, or rows if they are fewer, depends on those before it to within rounding
///          errors: m eps times its length. Values are those of the singular value decomposition
///          then, without the singular values up to m eps of the largest; all derivatives are NaN,
///          because the pseudo-inverse is not continuous there. A matrix with an infinite entry or
///          NaN gives NaN.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The X of smallest |A X - B|, column by column; if there are several, the shortest: A^+ B.
///
/// Shapes:  a [..., m, n]; b [..., m, k], or a vector [m]; the result [..., n, k], or [..., n].
/// Errors:  std::invalid_argument if the shapes do not match.
/// Source:  Golub & Pereyra, The differentiation of pseudo-inverses and nonlinear least squares
///          problems whose variables separate, 1973; by the QR factors and the augmented system, as
///          in Bjorck, Numerical Methods for Least Squares Problems, 1996, section 2.5.
template <class T>
Var<T> lstsq(const Var<T>& a, const Var<T>& b);

/// The pseudo-inverse A^+ of Moore and Penrose.
///
/// Shapes:  [..., m, n] -> [..., n, m].
/// Errors:  std::invalid_argument if a has fewer than two axes.
/// Source:  as lstsq.
template <class T>
Var<T> pinv(const Var<T>& a);

}  // namespace fjord
