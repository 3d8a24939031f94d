/// The regularised incomplete gamma and beta functions, elementwise: distribution functions of
/// gamma, Poisson, beta, binomial, F and Student's distributions.
///
/// Derivatives of every order exist in every argument, the parameters included, and keep their
/// digits where they or the values are tiny, down to the conditioning of the function itself.
/// Shapes:  broadcast.
/// Units:   a, b >= 0, not both 0; outside the ranges, and where no limit exists, the result is
///          NaN. At x = 0 and x = 1 a derivative in a parameter that has no limit, or of which none
///          was worked out, is NaN.
/// Note:    Each entry takes one quadrature, some microseconds, for each derivative.
/// Source:  a factor in closed form times an integral of positive terms, of which derivatives in
///          the parameters are moments; DLMF 8.2 and 8.17 for the definitions.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// P(a, x): the integral of t^(a - 1) e^-t from 0 to x, over gamma(a), for x >= 0.
template <class T>
Var<T> gammainc(const Var<T>& a, const Var<T>& x);
/// Q(a, x) = 1 - P(a, x), with all digits where it is tiny.
template <class T>
Var<T> gammaincc(const Var<T>& a, const Var<T>& x);
/// I_x(a, b): the integral of t^(a - 1) (1 - t)^(b - 1) from 0 to x, over the one to 1, for
/// 0 <= x <= 1.
template <class T>
Var<T> betainc(const Var<T>& a, const Var<T>& b, const Var<T>& x);
/// 1 - I_x(a, b), with all digits where it is tiny. It is I_(1 - x)(b, a), but of a small x there
/// is less left in 1 - x.
template <class T>
Var<T> betaincc(const Var<T>& a, const Var<T>& b, const Var<T>& x);

}  // namespace fjord
