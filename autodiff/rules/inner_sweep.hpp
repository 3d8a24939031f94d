/// Sweeps within rules: as those of sweep.hpp, of derivatives of the sweep that is under way. Zeros
/// that are not masked stay so, and masked ones come out masked.
#pragma once

#include "fjord/autodiff/sweep.hpp"

namespace fjord::rules {

template <class T>
Vars<T> inner_pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs);

template <class T>
Vars<T> inner_pushforward(const Vars<T>& inputs, const Vars<T>& tangents, const Vars<T>& outputs);

template <class T>
std::span<const TensorView<T>> inner_pullback_values(std::span<const Var<T>> outputs,
                                                     std::span<const TensorView<T>> cotangents,
                                                     std::span<const Var<T>> inputs);

}  // namespace fjord::rules
