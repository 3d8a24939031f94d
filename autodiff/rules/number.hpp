/// How operations from single numbers to one number are appended.
#pragma once

#include <array>

#include "fjord/autodiff/operation.hpp"

namespace fjord::rules {

/// Appends the node of an operation from inputs of size 1 to an output of size 1: its number and
/// its inputs share a record, since long scalar code takes its time from memory.
///
/// Note:    The inputs are indices of nodes of the tape, which the caller has checked.
template <class T, std::size_t N>
Var<T> append_number(Tape<T>& tape, const Operation<T>& op,
                     const std::array<std::uint32_t, N>& inputs, const NodeShape& shape, T number,
                     const void* attributes = nullptr) {
  struct Record {
    T number;
    std::array<std::uint32_t, N> inputs;
  };

  const auto* record = tape.keep(Record{number, inputs});
  return tape.append(0, [&](Node<T>& node) {
    node.op = &op;
    node.value = &record->number;
    node.shape = shape;
    node.inputs = record->inputs.data();
    node.attributes = attributes;
    node.input_count = static_cast<std::uint32_t>(N);
    node.output = 0;
    node.outputs = 1;
  });
}

}  // namespace fjord::rules
