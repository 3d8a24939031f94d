/// Exponentials and logarithms, elementwise.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
Var<T> exp(const Var<T>& x);
/// The natural logarithm; -inf at 0, NaN below.
template <class T>
Var<T> log(const Var<T>& x);

}  // namespace fjord
