/// The error function, its kin and inverse, elementwise.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
template <class T>
Var<T> erf(const Var<T>& x);
/// 1 - erf(x), with all digits where it is tiny.
template <class T>
Var<T> erfc(const Var<T>& x);
/// The x with erf(x) = y: infinite at -1 and 1, as its derivative is, and NaN beyond.
///
/// Source:  Wichura, algorithm AS 241 (PPND16), Appl. Statist. 37 (1988) 477.
template <class T>
Var<T> erfinv(const Var<T>& y);
/// The logarithm of the distribution function of N(0, 1), with all digits in both tails,
/// derivatives included.
template <class T>
Var<T> log_normal_cdf(const Var<T>& x);

}  // namespace fjord
