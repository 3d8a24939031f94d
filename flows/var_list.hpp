/// Lists of variables that a recording needs for a moment.
#pragma once

#include <new>
#include <span>

#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {

/// A list of variables in the memory of their tape, so that a step like an earlier one allocates
/// nothing.
template <class T>
class VarList final {
 public:
  /// A list with room for so many; it ends with the recording.
  VarList(Tape<T>& tape, std::size_t room) : first_(tape.template new_records<Var<T>>(room)) {}

  void add(const Var<T>& var) { new (first_ + size_++) Var<T>(var); }

  Var<T>& operator[](std::size_t i) { return first_[i]; }

  std::span<const Var<T>> all() const { return {first_, size_}; }

 private:
  Var<T>* first_;
  std::size_t size_ = 0;
};

}  // namespace fjord::flows
