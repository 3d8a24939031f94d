/// Networks of time and state.
#pragma once

#include <memory>
#include <string_view>

#include "fjord/nn/module.hpp"

namespace fjord::nn {

/// How a network gets the time.
enum class TimeInput {
  repeat,  ///< t, repeated to the width D of x, before x: 2 D inputs
  concat,  ///< one column t before x: D + 1 inputs
};

/// The time input of that name, "repeat" or "concat", and the name of a time input.
///
/// Errors:  std::invalid_argument if there is none.
TimeInput time_input_named(std::string_view name);
std::string_view name_of(TimeInput time_input);

/// The number of inputs of a network for states of width `dim`.
Index input_width(TimeInput time_input, Index dim);

/// x with the time before it.
///
/// Shapes:  t a scalar, or [B, 1]; x [B, D]; result [B, input_width].
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> with_time(TimeInput time_input, const Var<T>& t, const Var<T>& x);

}  // namespace fjord::nn
