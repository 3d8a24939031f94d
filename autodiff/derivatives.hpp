/// Derivatives of functions: any callable from one Var to one, nested as deeply as needed.
#pragma once

#include <functional>

#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// A function recorded on the tape of its argument.
template <class T>
using Function = std::function<Var<T>(const Var<T>& x)>;

/// The gradient of a function with one number as its value, recorded.
///
/// The argument passes through a fresh node, so that functions of functions keep their variables
/// apart.
/// Shapes:  f(x) has size 1; the result has x's shape.
/// Errors:  std::invalid_argument if the size of f(x) is not 1.
template <class T>
Var<T> gradient(const Function<T>& f, const Var<T>& x);

/// The product of the Jacobian with a tangent, recorded.
///
/// Shapes:  tangent as x; the result as f(x).
template <class T>
Var<T> jvp(const Function<T>& f, const Var<T>& x, const Var<T>& tangent);

/// The product of the transposed Jacobian with a cotangent, recorded.
///
/// Shapes:  cotangent as f(x); the result as x.
template <class T>
Var<T> vjp(const Function<T>& f, const Var<T>& x, const Var<T>& cotangent);

/// The product of the Hessian with a vector, recorded: forward over reverse.
///
/// Shapes:  f(x) has size 1; v and the result are as x.
template <class T>
Var<T> hvp(const Function<T>& f, const Var<T>& x, const Var<T>& v);

/// The D unit tangents of rows [B, D], as a leaf [B, D, D] of the tape of x.
///
/// Errors:  std::invalid_argument if x has not two axes.
template <class T>
Var<T> unit_tangents(const Var<T>& x);

/// The Jacobian at a point, by forward sweeps of values.
///
/// Shapes:  the shape of f(x), then that of x.
/// Note:    The function is recorded on a tape of its own, so it must not use handles of another.
template <class T>
Tensor<T> jacobian(const Function<T>& f, const Tensor<T>& x);

}  // namespace fjord
