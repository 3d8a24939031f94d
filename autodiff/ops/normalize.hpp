/// Normalisation: entries minus their mean, over the root of their variance plus eps.
///
/// The variance divides by the count. What is returned is (x - mean) / sqrt(variance + eps) weight
/// + bias; means and variances are part of what is differentiated.
/// Errors:  std::invalid_argument if x has no axis or if weight and bias do not stretch to it.
#pragma once

#include <type_traits>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// Normalises each sample over its features, the last axis.
///
/// Shapes:  x [..., D], weight [D], bias [D].
template <class T>
Var<T> layer_norm(const Var<T>& x, const Var<T>& weight, const Var<T>& bias,
                  std::type_identity_t<T> eps = T(1e-5));
/// Normalises each feature over the batch, axis 0, with the mean and variance of this very batch.
///
/// Shapes:  x [B, ...], weight and bias as x without axis 0.
/// Note:    The form for training; running averages for evaluation are the caller's.
template <class T>
Var<T> batch_norm(const Var<T>& x, const Var<T>& weight, const Var<T>& bias,
                  std::type_identity_t<T> eps = T(1e-5));

}  // namespace fjord
