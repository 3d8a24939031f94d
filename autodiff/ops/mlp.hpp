/// Narrow multilayer perceptrons of time and state, each as one operation.
///
/// What runs through every layer are a few rows at a time, in registers: the fields of small flows
/// are evaluated a hundred times a training step, and one node for each costs a fraction of ten.
#pragma once

#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The most columns that a layer of these operations may have: beyond, products by a BLAS are as
/// fast.
inline constexpr Index widest_narrow_mlp = 16;

/// f(t, x): affine maps x W^T + b with tanh between them.
///
/// Shapes:  t []; x [B, D]; layers weight, bias, weight, bias, ..., two pairs at least: weight
///          [out, in], bias [out]; what the first layer takes beyond D inputs is t, before x;
///          result [B, out of the last].
/// Errors:  std::invalid_argument if the shapes do not match, or one is wider than
///          widest_narrow_mlp.
template <class T>
Var<T> tanh_mlp(const Var<T>& t, const Var<T>& x, std::span<const Var<T>> layers);

/// tanh_mlp, and its divergence, the sum of the d f_i / d x_i, as one column more.
///
/// Shapes:  as tanh_mlp, with D outputs; result [B, D + 1].
/// Errors:  as tanh_mlp.
template <class T>
Var<T> tanh_mlp_with_divergence(const Var<T>& t, const Var<T>& x, std::span<const Var<T>> layers);

}  // namespace fjord
