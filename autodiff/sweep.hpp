/// The two sweeps over a tape: backward with cotangents, forward with tangents.
///
/// Each comes in two modes. *Values*: the result is numbers and nothing is recorded. *Recorded*:
/// what the sweep computes is appended to the same tape as ordinary operations, so that either
/// sweep can run over it again.
///
/// No sweep gives a finite number that is not the derivative. A zero that a selection leaves where
/// it did not choose (where, maximum, clamp, max, sort, relu, slices, steps such as floor) is
/// *masked*: nothing depends on it, so it stays zero, whatever it is multiplied with. Zeros that
/// users give in cotangents and tangents are masked, too. Any other zero is *computed*: times an
/// infinite or NaN slope it is NaN, unless an operation says that it knows the limit; and so is an
/// infinite cotangent or tangent times a slope of 0.
///
/// Every zero of a result is +0; as the cotangent or tangent of another sweep it is masked.
#pragma once

#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
using Vars = std::vector<Var<T>>;

/// Recorded reverse sweep: the cotangents of the inputs, from the cotangents of the outputs.
///
/// Shapes:  each cotangent has the shape of its output, each result that of its input.
/// Errors:  std::invalid_argument if the numbers of outputs and cotangents or a shape differ.
/// Note:    An input that no output depends on gives zeros. Where one input depends on another, the
///          result for the other includes the path through it.
template <class T>
Vars<T> pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs);

/// As `pullback`, but the inputs are independent variables, whatever they were computed from: no
/// path through one of them counts for another. The transpose of `pushforward`.
template <class T>
Vars<T> partial_pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs);

/// Reverse sweep of values; as `pullback`, but the results are numbers in the tape's memory.
///
/// Note:    The results are valid until the next sweep of values over the tape ends, which may take
///          them as cotangents; copy what must last longer.
template <class T>
std::span<const TensorView<T>> pullback_values(std::span<const Var<T>> outputs,
                                               std::span<const TensorView<T>> cotangents,
                                               std::span<const Var<T>> inputs);

/// Reverse sweep of values from one scalar: its gradient in each of the inputs.
///
/// Errors:  std::invalid_argument if the size of `output` is not 1.
/// Note:    As for pullback_values.
template <class T>
std::span<const TensorView<T>> gradient_values(
    const Var<T>& output, std::type_identity_t<std::span<const Var<T>>> inputs);

template <class T>
std::span<const TensorView<T>> gradient_values(
    const Var<T>& output, std::initializer_list<std::type_identity_t<Var<T>>> inputs) {
  return gradient_values(output, std::span<const Var<T>>(inputs.begin(), inputs.size()));
}

/// Recorded forward sweep: the tangents of the outputs, from the tangents of the inputs.
///
/// Shapes:  each tangent has the shape of its input; or all hold K tangents, stacked along the axis
///          of `stacked_shape` ([B, D] -> [B, K, D]), and so do the results.
/// Errors:  std::invalid_argument if the numbers of inputs and tangents or a shape differ.
/// Note:    An input keeps the tangent it is given where it depends on another input, too; tangents
///          of one that is given twice add up.
template <class T>
Vars<T> pushforward(const Vars<T>& inputs, const Vars<T>& tangents, const Vars<T>& outputs);

/// Recorded forward sweep from one input to one output; allocates nothing once the tape has grown.
template <class T>
Var<T> pushforward(const Var<T>& input, const Var<T>& tangent, const Var<T>& output);

/// Forward sweep of values; as `pushforward`, with numbers as results.
template <class T>
std::vector<Tensor<T>> pushforward_values(const Vars<T>& inputs, const Vars<T>& tangents,
                                          const Vars<T>& outputs);

}  // namespace fjord
