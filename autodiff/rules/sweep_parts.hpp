/// What the backward and the forward sweep share.
#pragma once

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/record/watch.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord::rules {

using namespace record;

template <class T>
Tape<T>& tape_of(std::span<const Var<T>> a, std::span<const Var<T>> b, const char* op) {
  require(!a.empty() && !b.empty(), op, "at least one input and one output are needed");
  return a.front().tape();
}

/// Starts the frame over the nodes between the inputs and the outputs.
template <class T>
void start_between(SweepFrame<T>& frame, Tape<T>& tape, std::span<const Var<T>> inputs,
                   std::span<const Var<T>> outputs, typename SweepFrame<T>::Mode mode,
                   const char* op) {
  tape.settle();
  std::uint32_t first = SweepFrame<T>::none;
  std::uint32_t last = 0;
  // All outputs of an operation lie inside if one does: its rules ask for them together.
  const auto include = [&](const Var<T>& var) {
    const std::uint32_t head = var.index() - tape.node(var, op).output;
    last = std::max(last, head + tape.node(head).outputs - 1);
    return head;
  };
  for (const Var<T>& input : inputs) first = std::min(first, include(input));
  for (const Var<T>& output : outputs) include(output);
  frame.start(first, last, mode);
  for (const Var<T>& var : inputs) frame.mark_active(var.index());
  frame.spread_active(tape);
}

inline void check_count(std::size_t variables, std::size_t derivatives, const char* what,
                        const char* op) {
  require(variables == derivatives, op, [&] {
    return std::string("one ") + what + " is needed, got " + std::to_string(derivatives) + " for " +
           std::to_string(variables);
  });
}

inline void check_derivative(const Shape& expected, const Shape& got, const char* op) {
  require(expected == got, op, [&] {
    return "a derivative must have the shape of its variable, " + to_string(expected) + ", got " +
           to_string(got);
  });
}

/// Whose derivatives a sweep is given and gives: those of users have no marks of their own, so that
/// every zero that they give is masked, and none that they get.
enum class Of { users, rules };

/// Adds a node to the derivative of another; a sum is a node of its own, as an earlier one may be
/// read.
template <class T>
void add_derivative(Tape<T>& tape, SweepFrame<T>& frame, std::uint32_t of, std::uint32_t part) {
  std::uint32_t& sum = frame.derivative(of);
  sum = sum == frame.none ? part : (tape.var(sum) + tape.var(part)).index();
}

/// Ends a recorded sweep.
template <class T>
void finish(SweepScope<T>& watched, Tape<T>& tape, std::span<const Var<T>> results) {
  if (tape.watch() == nullptr) return;
  std::vector<TensorView<T>> values;
  for (const Var<T>& result : results) {
    const Node<T>& node = tape.node(result.index());
    values.push_back(TensorView<T>(node.value, node.shape.shape(), Order::column_major));
  }
  watched.finish(tape, values);
}

/// The derivative that a sweep gives: the node that it found, or masked zeros if it found none.
template <class T>
Var<T> handed_out(Tape<T>& tape, std::uint32_t found, const NodeShape& shape, Of of) {
  const bool is_found = found != SweepFrame<T>::none;
  const Var<T> derivative = is_found ? tape.var(found) : rules::masked(tape, shape);
  return of == Of::users ? rules::unmasked(derivative) : derivative;
}

/// The node of a derivative that was given.
template <class T>
Var<T> given_derivative(const Var<T>& given, Of of) {
  return of == Of::users ? rules::seed(given) : given;
}

}  // namespace fjord::rules
