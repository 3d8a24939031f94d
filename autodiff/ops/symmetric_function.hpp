/// Functions of symmetric matrices: f(A) = V diag(f(w)) V^T for A = V diag(w) V^T.
///
/// Right in every order of derivative also where eigenvalues coincide, or nearly, where the vectors
/// of `eigh` have no derivatives. Each reads the lower triangle of a only, and is a function of it:
/// the gradient above the diagonal is 0, and an entry below it counts for both of its places.
/// Shapes:  [..., n, n] -> [..., n, n].
/// Errors:  std::invalid_argument if the shape does not match; NumericalError if LAPACK does not
///          converge.
/// Note:    Eigenvalues of size 4 n eps |A| or less count as 0. A matrix with an infinite entry or
///          NaN gives NaN. The derivative of order k takes some n^(k + 1) operations, in double
///          precision.
/// Source:  Higham, Functions of Matrices, 2008, section 3.2 (Daleckii and Krein), with divided
///          differences of higher order for higher derivatives.
#pragma once

#include <functional>
#include <type_traits>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// A function of one number, applied to every entry.
template <class T>
using ElementwiseFunction = std::function<Var<T>(const Var<T>& x)>;

/// The square root: NaN for a negative eigenvalue; derivatives are infinite or NaN for one of 0.
template <class T>
Var<T> symmetric_sqrt(const Var<T>& a);
/// The logarithm: NaN for a negative eigenvalue; infinite or NaN for one of 0.
template <class T>
Var<T> symmetric_log(const Var<T>& a);
/// The exponential; `matrix_exp` is that of any square matrix.
template <class T>
Var<T> symmetric_exp(const Var<T>& a);

/// f of every matrix, for a function f from operations.
///
/// Errors:  std::invalid_argument if f(x) does not have the shape of x, or uses other variables.
/// Note:    f is evaluated, and differentiated, at numbers on a tape of its own, and also between
///          eigenvalues that lie close together. It must be valid as long as the tape holds the
///          result.
template <class T>
Var<T> symmetric_function(const Var<T>& a, const std::type_identity_t<ElementwiseFunction<T>>& f);

}  // namespace fjord
