/// Trigonometric functions, elementwise, of angles in radians.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
Var<T> sin(const Var<T>& x);
template <class T>
Var<T> cos(const Var<T>& x);

}  // namespace fjord
