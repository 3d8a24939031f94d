/// Derivatives of functions, nested as deeply as needed.
///
/// A function is any callable from one structure of variables (structure.hpp) to another; it is
/// recorded on the tape of its argument, and so are its derivatives. Scalars that are on no tape
/// become leaves of it. The argument passes through
/// fresh nodes, so that functions of functions keep their variables apart; everything else that a
/// function uses is a constant.
#pragma once

#include "fjord/autodiff/structure.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// The result of `value_and_gradient`.
template <Structure S, Structure R = Var<ScalarOf<S>>>
struct ValueAndGradient {
  R value;
  S gradient;
};

/// A leaf of ones in the shape of a number: the cotangent that makes a gradient.
///
/// Errors:  std::invalid_argument if the size of y is not 1.
template <class T>
Var<T> gradient_seed(const Var<T>& y);

/// The value of a function with one number as its value, and its gradient.
///
/// Shapes:  f(x) has size 1; the gradient is a structure like x.
/// Errors:  std::invalid_argument if the size of f(x) is not 1.
template <class F, Structure S>
auto value_and_gradient(F&& f, const S& x) {
  using T = ScalarOf<S>;
  Tape<T>& tape = tape_of(x);
  const S own = identity(on_tape(x, tape));
  const auto value = on_tape(f(own), tape);
  const Var<T> y = structure::var_of(value);
  const Vars<T> slopes = pullback<T>({y}, {gradient_seed(y)}, vars_of(own));
  return ValueAndGradient<S, std::remove_cv_t<decltype(value)>>{value, with_vars(own, slopes)};
}

/// Only the gradient; as value_and_gradient.
template <class F, Structure S>
S gradient(F&& f, const S& x) {
  return value_and_gradient(f, x).gradient;
}

/// The product of the Jacobian with a tangent.
///
/// Shapes:  tangent as x; the result as f(x). Several tangents at once are stacked in both, as
///          `pushforward` says.
template <class F, Structure S>
auto jvp(F&& f, const S& x, const S& tangent) {
  auto& tape = tape_of(x);
  const S own = identity(on_tape(x, tape));
  const auto y = on_tape(f(own), tape);
  return with_vars(y, pushforward(vars_of(own), vars_of(on_tape(tangent, tape)), vars_of(y)));
}

/// The product of the transposed Jacobian with a cotangent.
///
/// Shapes:  cotangent as f(x); the result as x.
template <class F, Structure S, Structure R>
S vjp(F&& f, const S& x, const R& cotangent) {
  auto& tape = tape_of(x);
  const S own = identity(on_tape(x, tape));
  const auto y = on_tape(f(own), tape);
  return with_vars(own, pullback(vars_of(y), vars_of(on_tape(cotangent, tape)), vars_of(own)));
}

/// The product of the Hessian with a vector: forward over reverse.
///
/// Shapes:  f(x) has size 1; v and the result are as x.
template <class F, Structure S>
S hvp(F&& f, const S& x, const S& v) {
  return jvp([&](const S& at) { return gradient(f, at); }, x, v);
}

/// The Jacobians of y in inputs from which it was recorded; as `jacobian`.
template <class T>
Vars<T> jacobians_of(const Var<T>& y, const Vars<T>& inputs);

/// The Jacobian in every variable of x.
///
/// Shapes:  f(x) one Var; the result is a structure like x: each has the shape of f(x), then that
///          of its variable.
/// Note:    Cost: one forward sweep of as many stacked tangents as x has entries or, if f(x) has
///          fewer, a reverse sweep and such a one over it. Either is recorded with every tangent.
template <class F, Structure S>
S jacobian(F&& f, const S& x) {
  auto& tape = tape_of(x);
  const S own = identity(on_tape(x, tape));
  const auto y = on_tape(f(own), tape);
  return with_vars(own, jacobians_of<ScalarOf<S>>(structure::var_of(y), vars_of(own)));
}

/// The Jacobian at a point, as numbers.
///
/// Note:    The function is recorded on a separate tape, so it must not use handles of another.
template <class T, class F>
Tensor<T> jacobian(F&& f, const Tensor<T>& x) {
  Tape<T> tape;
  return Tensor<T>(jacobian(f, tape.input(x)).value());
}

/// The Hessian: the Jacobian of the gradient.
///
/// Shapes:  f(x) has size 1; the result has the shape of x twice.
/// Note:    Cost: that of the gradient and, over it, of as many tangents as x has entries.
template <class T, class F>
Var<T> hessian(F&& f, const Var<T>& x) {
  return jacobian([&](const Var<T>& at) { return gradient(f, at); }, x);
}

/// The diagonal of the Jacobian of y, which has x's shape, in x, from which it was recorded.
template <class T>
Var<T> jacobian_diagonal_of(const Var<T>& y, const Var<T>& x);

/// The second derivative in each entry of x, exactly.
///
/// Shapes:  f(x) has size 1; the result is as x.
/// Note:    Cost: that of the Hessian. If no entry's slope depends on another entry, hvp with ones
///          is the same for the cost of one tangent.
template <class T, class F>
Var<T> hessian_diagonal(F&& f, const Var<T>& x) {
  const Var<T> own = identity(x);
  return jacobian_diagonal_of(gradient(f, own), own);
}

/// The D unit tangents of rows [B, D], as a leaf [B, D, D] of the tape of x.
///
/// Errors:  std::invalid_argument if x does not have two axes.
template <class T>
Var<T> unit_tangents(const Var<T>& x);

/// The sum over i of d y_i / d x_i for every row, exactly: by D tangents at once.
///
/// Shapes:  x, y [B, D], y computed from x, each row from its own; units as of `unit_tangents`;
///          result [B].
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> exact_divergence(const Var<T>& x, const Var<T>& y, const Var<T>& units);

/// The divergence of a field of rows, exactly.
///
/// Shapes:  x, f(x) [B, D], each row of f(x) from its own of x; result [B].
/// Errors:  std::invalid_argument if the shapes do not match.
/// Note:    Cost: D tangents at once.
template <class T, class F>
Var<T> divergence(F&& f, const Var<T>& x) {
  const Var<T> own = identity(x);
  const Var<T> units = unit_tangents(own);
  return exact_divergence<T>(own, f(own), units);
}

/// The derivative of y in x, from which it was recorded; as `derivative`.
template <class T>
Var<T> derivative_of(const Var<T>& y, const Var<T>& x, int order);

/// The derivative of some order of an elementwise function, or of a function of one number.
///
/// Shapes:  f(x) as x, or x of size 1; the result as f(x).
/// Errors:  std::invalid_argument if the shapes do not match, or the order is negative.
/// Note:    Cost: forward over forward, each order some two or three times the one before it.
template <class T, class F>
Var<T> derivative(F&& f, const Var<T>& x, int order = 1) {
  const Var<T> own = identity(x);
  return derivative_of<T>(f(own), own, order);
}

}  // namespace fjord
