/// Hyperbolic functions and their inverses, elementwise; tanh is an activation.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
Var<T> sinh(const Var<T>& x);
template <class T>
Var<T> cosh(const Var<T>& x);
template <class T>
Var<T> asinh(const Var<T>& x);
/// NaN below 1; the derivative at 1 is infinite.
template <class T>
Var<T> acosh(const Var<T>& x);
/// NaN outside [-1, 1]; infinite at its ends, as the derivative is.
template <class T>
Var<T> atanh(const Var<T>& x);

}  // namespace fjord
