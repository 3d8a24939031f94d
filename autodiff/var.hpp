/// Handles to the nodes of a tape.
#pragma once

#include <cstdint>

#include "fjord/autodiff/tensor.hpp"

namespace fjord {

template <class T>
class Tape;

/// Handle to a node of a tape: a value that operations can be applied to and derivatives taken in.
///
/// Errors:  every use of an empty handle, or of one whose node was rewound, throws
///          std::invalid_argument.
/// Note:    Cheap to copy. A handle must not outlive its tape.
template <class T>
class Var final {
 public:
  Var() = default;

  Var(Tape<T>* tape, std::uint32_t index, std::uint32_t generation)
      : tape_(tape), index_(index), generation_(generation) {}

  /// Whether the handle was never given a node.
  bool is_empty() const { return tape_ == nullptr; }

  Tape<T>& tape() const;

  std::uint32_t index() const { return index_; }

  std::uint32_t generation() const { return generation_; }

  Shape shape() const;
  /// The node's numbers, read in place; valid until the tape is rewound past the node.
  TensorView<T> value() const;

  /// The number of a node of size 1.
  T item() const { return value().item(); }

  /// Entry i of axis 0, counted from the end if negative, without that axis, as an operation: x[i]
  /// in numpy.
  ///
  /// Errors:  std::invalid_argument if x is a scalar or i is outside the axis.
  Var operator[](Index i) const;

 private:
  friend class Tape<T>;

  Tape<T>* tape_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t generation_ = 0;
};

extern template class Var<float>;
extern template class Var<double>;

}  // namespace fjord
