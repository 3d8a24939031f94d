/// Activations by name.
#pragma once

#include <span>
#include <string_view>

#include "fjord/autodiff/var.hpp"

namespace fjord::nn {

/// An elementwise function and the name under which model files know it.
template <class T>
struct Activation {
  std::string_view name;
  Var<T> (*function)(const Var<T>&);
  /// The largest absolute value of its slope, rounded up.
  double steepest;
  /// The same of an affine map x W^T + b, as one operation; null if there is none.
  Var<T> (*of_affine)(const Var<T>& x, const Var<T>& weight, const Var<T>& bias) = nullptr;
  /// Narrow networks with it between their layers as one operation, without and with their
  /// divergence (fjord/autodiff/ops/mlp.hpp); null if there is none.
  using NarrowMlp = Var<T> (*)(const Var<T>& t, const Var<T>& x, std::span<const Var<T>> layers);
  NarrowMlp mlp = nullptr;
  NarrowMlp mlp_with_divergence = nullptr;
};

/// The activation of x W^T + b, as one operation if the activation has one.
///
/// Shapes:  x [..., in], at least two axes; weight [out, in]; bias [out]; result [..., out].
/// Errors:  std::invalid_argument if the shapes do not match or the activation has no function.
template <class T>
Var<T> activated_affine(const Var<T>& x, const Var<T>& weight, const Var<T>& bias,
                        const Activation<T>& activation);

/// All smooth activations: tanh, softplus, elu, silu, gelu, sigmoid, sin.
template <class T>
std::span<const Activation<T>> all_activations();

/// The activation of that name.
///
/// Errors:  std::invalid_argument, which lists the names, if there is none.
template <class T>
Activation<T> activation_named(std::string_view name);

}  // namespace fjord::nn
