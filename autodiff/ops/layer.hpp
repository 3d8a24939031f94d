/// Layers of networks, each as one operation.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The affine map x W^T + b of every row of x.
///
/// Shapes:  x [..., in], at least two axes; weight [out, in]; bias [out]; result [..., out].
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> affine(const Var<T>& x, const Var<T>& weight, const Var<T>& bias);

/// tanh(x W^T + b), without keeping the affine map's result.
///
/// Shapes:  as affine.
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> tanh_affine(const Var<T>& x, const Var<T>& weight, const Var<T>& bias);

/// (t W^T) s: tangents t of an affine map's input, pushed through it and through what follows
/// elementwise with slopes s.
///
/// A product that is masked, as all the tangents that make it are, stays so, whatever the slope is:
/// see `scale`. The product itself is not kept but computed
/// again where a derivative needs it: on small machines that is cheaper than its memory.
/// Shapes:  weight [out, in]; slope [..., out], at least two axes; tangent [..., in], or several
///          stacked as `stacked_shape` says; the result as the tangent, with out columns.
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> scaled_product(const Var<T>& tangent, const Var<T>& weight, const Var<T>& slope);

}  // namespace fjord
