/// Checks of the tensors that a model file holds.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::flows {

inline void check_tensor(const nn::State& state, const std::string& name, const Shape& expected) {
  const auto found = state.tensors.find(name);
  require(found != state.tensors.end(), "model",
          [&] { return "the file lacks the tensor " + name; });
  const Shape shape = std::visit([](const auto& tensor) { return tensor.shape(); }, found->second);
  require(shape == expected, "model", [&] {
    return "tensor " + name + " must have shape " + to_string(expected) + ", got " +
           to_string(shape);
  });
}

// The tensor's numbers in the precision T, held against those that T has: an activation that
// saturates would make a density that looks like one of any other.
template <class T>
Tensor<T> finite_tensor(const nn::State& state, const std::string& name) {
  Tensor<T> values = std::visit([](const auto& tensor) { return tensor.template as<T>(); },
                                state.tensors.at(name));
  require(
      std::ranges::all_of(values.storage(), [](T v) { return std::isfinite(v); }), "model",
      [&] { return "tensor " + name + " holds a number that is not finite in this precision"; });
  return values;
}

inline void check_one_precision(const nn::State& state) {
  for (const auto& [name, tensor] : state.tensors) {
    require(tensor.index() == state.tensors.begin()->second.index(), "model", [&, &odd = name] {
      return "all tensors must be F32, or all F64; " + printable(odd) + " and " +
             printable(state.tensors.begin()->first) + " differ";
    });
  }
}

// Every tensor is one of `names`, which all are there.
template <class Names>
void check_no_other(const nn::State& state, const Names& names) {
  if (state.tensors.size() == names.size()) return;
  for (const auto& [name, tensor] : state.tensors) {
    const bool is_known = std::ranges::find(names, name) != names.end();
    require(is_known, "model", [&, &odd = name] {
      return "the model has no parameter for the tensor " + printable(odd);
    });
  }
}

}  // namespace fjord::flows
