/// Numbers of distributions on tapes.
#pragma once

#include <algorithm>
#include <span>

#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {

/// A leaf with numbers in the precision T, in the memory of the tape.
///
/// Shapes:  the numbers column-major.
template <class T>
Var<T> rounded_leaf(Tape<T>& tape, const Shape& shape, std::span<const double> numbers) {
  T* rounded = tape.new_values(shape.size());
  std::ranges::transform(numbers, rounded, [](double number) { return static_cast<T>(number); });
  return tape.borrow(tape.keep_shape(shape), rounded);
}

}  // namespace fjord::flows
