/// Bounds for gradients.
#pragma once

#include <span>

namespace fjord::optim {

/// Shortens a gradient to the Euclidean norm `max_norm` if it is longer; returns the norm that it
/// had. T is float or double.
///
/// Errors:  std::invalid_argument if max_norm is not positive and finite.
/// Note:    A gradient whose norm is infinite or NaN stays as it is: the caller sees it in the
///          result. Squares do not overflow.
/// Source:  Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks,
///          ICML 2013.
template <class T>
double clip_by_norm(std::span<T> gradient, double max_norm);

/// Moves every entry into [-max_value, max_value]; NaN stays. T is float or double.
///
/// Errors:  std::invalid_argument if max_value is not positive and finite.
template <class T>
void clip_by_value(std::span<T> gradient, double max_value);

}  // namespace fjord::optim
