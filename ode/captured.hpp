/// What fields use from outside: for the gradient modes.
#pragma once

#include <algorithm>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/ode/field.hpp"

namespace fjord::ode {

/// Collects the nodes that a field uses besides its state and time: those older than the solve.
template <class T>
class Captured final {
 public:
  explicit Captured(Tape<T>& tape)
      : tape_(tape), oldest_(static_cast<std::uint32_t>(tape.size())) {}

  const Vars<T>& vars() const { return vars_; }

  /// Evaluates f and looks at what the evaluation used.
  Var<T> evaluate(const Field<T>& f, const Var<T>& t, const Var<T>& y) {
    const auto begin = static_cast<std::uint32_t>(tape_.size());
    const Var<T> slope = f(t, y);
    add(slope.index());
    for (std::uint32_t i = begin; i < tape_.size(); ++i) {
      const Node<T>& node = tape_.node(i);
      for (std::uint32_t k = 0; k < node.input_count; ++k) add(node.inputs[k]);
    }
    return slope;
  }

 private:
  static bool holds(std::span<const Var<T>> list, std::uint32_t index) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Var<T>& v) { return v.index() == index; });
  }

  void add(std::uint32_t index) {
    if (index >= oldest_) return;
    // Evaluations use the same nodes in the same order.
    next_ = next_ < vars_.size() ? next_ : 0;
    if (next_ < vars_.size() && vars_[next_].index() == index) {
      ++next_;
    } else if (!holds(vars_, index)) {
      vars_.push_back(tape_.var(index));
    }
  }

  Tape<T>& tape_;
  std::uint32_t oldest_;
  Vars<T> vars_;
  std::size_t next_ = 0;
};

}  // namespace fjord::ode
