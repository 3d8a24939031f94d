/// Losses: means over all samples, scalars.
#pragma once

#include <type_traits>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The mean of (prediction - target)^2.
///
/// Shapes:  equal.
/// Errors:  std::invalid_argument if they differ.
template <class T>
Var<T> mean_squared_error(const Var<T>& prediction, const Var<T>& target);
/// The mean of d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = prediction -
/// target.
///
/// Shapes:  equal.
/// Errors:  std::invalid_argument if they differ, or if delta is not positive.
/// Source:  Huber, Robust estimation of a location parameter, Ann. Math. Stat. 35 (1964).
template <class T>
Var<T> huber(const Var<T>& prediction, const Var<T>& target, std::type_identity_t<T> delta = 1);
/// The mean of -log p(target), with the probabilities p = softmax(logits) of the classes.
///
/// Shapes:  logits [..., C], targets [...].
/// Units:   nats; targets are classes in [0, C).
/// Errors:  std::invalid_argument if shapes do not fit or a target is not a class.
template <class T>
Var<T> cross_entropy(const Var<T>& logits, const Tensor<Index>& targets);

}  // namespace fjord
