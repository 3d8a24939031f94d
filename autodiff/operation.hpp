/// How an operation is made: one row of functions next to its forward function.
#pragma once

#include <span>

#include "fjord/autodiff/record/sweep_memory.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

template <class T>
class Reverse;
template <class T>
class Forward;
template <class T>
class ReverseKernel;

/// The rules of one operation; a constant object, to which its nodes point.
///
/// `pullback` and `pushforward` are written in operations on the tape and serve every order of
/// derivative: they read nodes only, never saved memory. Where a node's first-order sweep must be
/// fast, `pullback_values` does the same as `pullback` on raw memory; without it the sweep records
/// the rule, takes its values and rewinds.
///
/// In derivatives -0 marks a masked zero: see sweep.hpp. `scale` and the sum of two derivatives
/// keep to that; of other operators on derivatives, -g say, a zero may come out as -0, which adding
/// 0 mends.
template <class T>
struct Operation {
  const char* name;
  void (*pullback)(Reverse<T>& rule);
  /// Returns false if it cannot take several tangents at once here; the sweep then calls it for
  /// each.
  bool (*pushforward)(Forward<T>& rule);
  void (*pullback_values)(ReverseKernel<T>& kernel) = nullptr;
};

/// What every rule sees of the node it is called for.
template <class T>
class RuleNode {
 public:
  RuleNode(Tape<T>& tape, std::uint32_t head) : tape_(tape), node_(tape.node(head)), head_(head) {}

  Tape<T>& tape() const { return tape_; }

  const Node<T>& node() const { return node_; }

  std::uint32_t head() const { return head_; }

  std::uint32_t input_count() const { return node_.input_count; }

  const Node<T>& input_node(std::uint32_t i) const { return tape_.node(node_.inputs[i]); }

  template <class A>
  const A& attributes() const {
    return *static_cast<const A*>(node_.attributes);
  }

 protected:
  Tape<T>& tape_;
  const Node<T>& node_;
  std::uint32_t head_;
};

/// What a recorded rule sees, too: a slot for the derivative of each input and output.
template <class T>
class RecordedRule : public RuleNode<T> {
 public:
  RecordedRule(Tape<T>& tape, std::uint32_t head);

  Var<T> input(std::uint32_t i) const { return this->tape_.var(this->node_.inputs[i]); }

  Var<T> output(std::uint32_t k = 0) const { return this->tape_.var(this->head_ + k); }

  // For the sweeps: slots hold a node's index, or one of these.
  static constexpr std::uint32_t zero = 0xffffffff;
  static constexpr std::uint32_t unwanted = 0xfffffffe;

  std::uint32_t& input_slot(std::uint32_t i) { return slots_[i]; }

  std::uint32_t& output_slot(std::uint32_t k) { return slots_[this->node_.input_count + k]; }

 protected:
  Var<T> at_slot(std::uint32_t slot) const {
    return slots_[slot] >= unwanted ? Var<T>() : this->tape_.var(slots_[slot]);
  }

  std::uint32_t* slots_;
};

/// One operation in a recorded reverse sweep: from the cotangents of its outputs to those of its
/// inputs.
template <class T>
class Reverse final : public RecordedRule<T> {
 public:
  using RecordedRule<T>::RecordedRule;

  /// The cotangent of output k; empty if it is zero.
  Var<T> cotangent(std::uint32_t k = 0) const { return this->at_slot(this->node_.input_count + k); }

  /// Whether the cotangent of input i is asked for.
  bool wants(std::uint32_t i) const { return this->slots_[i] != this->unwanted; }

  /// Adds to the cotangent of input i; an empty one is zero.
  ///
  /// Errors:  std::invalid_argument if it does not have the input's shape.
  void add(std::uint32_t i, const Var<T>& cotangent);
};

/// One operation in a recorded forward sweep: from the tangents of its inputs to those of its
/// outputs.
template <class T>
class Forward final : public RecordedRule<T> {
 public:
  Forward(Tape<T>& tape, std::uint32_t head, Index stack)
      : RecordedRule<T>(tape, head), stack_(stack) {}

  /// The tangent of input i; empty if it is zero.
  Var<T> tangent(std::uint32_t i) const { return this->at_slot(i); }

  /// How many tangents each tangent holds, stacked along the axis of `stacked_shape`; 0: one,
  /// unstacked.
  Index stack() const { return stack_; }

  /// Whether the tangent of output k is asked for.
  bool wants(std::uint32_t k = 0) const {
    return this->slots_[this->node_.input_count + k] != this->unwanted;
  }

  /// Sets the tangent of output k; an empty one is zero.
  ///
  /// Errors:  std::invalid_argument if it does not have the output's shape, stacked as the input's
  ///          are.
  void set(std::uint32_t k, const Var<T>& tangent);

  void set(const Var<T>& tangent) { set(0, tangent); }

 private:
  Index stack_;
};

/// Where a kernel accumulates: `fresh` memory is to be assigned, other memory to be added to.
template <class T>
struct Target {
  T* data = nullptr;  ///< null if this derivative is not asked for
  bool fresh = false;

  explicit operator bool() const { return data != nullptr; }
};

/// One operation in a reverse sweep of values: the same as Reverse on raw column-major memory.
template <class T>
class ReverseKernel final : public RuleNode<T> {
 public:
  ReverseKernel(Tape<T>& tape, std::uint32_t head, record::SweepFrame<T>& frame,
                record::BufferPool& pool)
      : RuleNode<T>(tape, head), frame_(frame), pool_(pool) {}

  const T* input(std::uint32_t i) const { return this->input_node(i).value; }

  const NodeShape& input_shape(std::uint32_t i) const { return this->input_node(i).shape; }

  const T* output(std::uint32_t k = 0) const { return this->tape_.node(this->head_ + k).value; }

  Index size() const { return this->node_.shape.size; }

  /// The cotangent of output k; null if it is zero.
  const T* cotangent(std::uint32_t k = 0) const { return frame_.adjoint(this->head_ + k); }

  bool wants(std::uint32_t i) const { return frame_.is_active(this->node_.inputs[i]); }

  /// The cotangent of input i. Two inputs may be one node: write one target after the other.
  Target<T> target(std::uint32_t i) {
    if (!wants(i)) return {};
    const std::uint32_t input = this->node_.inputs[i];
    T*& buffer = frame_.adjoint(input);
    const bool fresh = buffer == nullptr;
    if (fresh) buffer = frame_.take(input, input_shape(i).size, pool_);
    return {buffer, fresh};
  }

  /// Memory for `count` numbers, which `give_back` returns.
  T* take(Index count) {
    return static_cast<T*>(pool_.take(static_cast<std::size_t>(count) * sizeof(T)));
  }

  void give_back(T* memory, Index count) {
    pool_.give_back(memory, static_cast<std::size_t>(count) * sizeof(T));
  }

  /// Whether the output has size 1: of an elementwise operation, the inputs have, too.
  bool is_number() const { return this->node_.shape.size == 1; }

  /// Adds to the cotangent of input i, of size 1.
  void add_number(std::uint32_t i, T number) {
    if (!wants(i)) return;
    const std::uint32_t input = this->node_.inputs[i];
    T*& sum = frame_.adjoint(input);
    if (sum == nullptr) {
      sum = frame_.number(input);
      *sum = number;
    } else {
      *sum += number;
    }
  }

  /// Adds the cotangent of output 0 to that of input i, of the same size; must come last in a
  /// kernel.
  void pass(std::uint32_t i);
  /// Has the same operation's recorded rule ask for what this kernel asks for, from the same
  /// cotangents.
  void ask(Reverse<T>& rule) const;
  /// Adds what a recorded rule gave.
  void add_from(Reverse<T>& rule);

 private:
  record::SweepFrame<T>& frame_;
  record::BufferPool& pool_;
};

/// The shape of `count` stacked tangents of a node: the new axis is the second-last, and the last
/// for ranks 0 and 1, so that stacked rows of a batch [B, D] become [B, K, D].
Shape stacked_shape(const Shape& shape, Index count);
/// The axis along which `stacked_shape` stacks.
Index stacking_axis(std::size_t rank);

/// Calls body(offset in g, offset in d, count): the stacked axis lies between the first axes and
/// the last.
template <class Body>
void for_each_slab(const NodeShape& g, const NodeShape& d, Body body) {
  if (g.rank == d.rank) {
    body(Index{0}, Index{0}, g.size);
    return;
  }
  const Index last = d.rank >= 2 ? d[d.rank - 1] : 1;
  const Index slab = last == 0 ? 0 : d.size / last;
  const Index stack = g[static_cast<std::size_t>(stacking_axis(d.rank))];
  for (Index j = 0; j < last; ++j) {
    for (Index k = 0; k < stack; ++k) body((j * stack + k) * slab, j * slab, slab);
  }
}

/// A new node, and the memory of its value, which the caller writes.
template <class T>
struct NewNode {
  Var<T> var;
  T* value;
};

/// Appends all outputs of an operation, one node for each shape, with new memory for their values.
///
/// Errors:  std::invalid_argument in the operation's name if an input is empty, of another tape, or
///          ended.
template <class T>
void append_outputs(Tape<T>& tape, const Operation<T>& op, std::span<const Var<T>> inputs,
                    const void* attributes, std::span<const NodeShape> shapes,
                    std::span<NewNode<T>> nodes);

/// As append_outputs, for one output.
template <class T>
NewNode<T> append_operation(Tape<T>& tape, const Operation<T>& op, std::span<const Var<T>> inputs,
                            const NodeShape& shape, const void* attributes = nullptr);

template <class T>
NewNode<T> append_operation(Tape<T>& tape, const Operation<T>& op,
                            std::initializer_list<Var<T>> inputs, const NodeShape& shape,
                            const void* attributes = nullptr) {
  return append_operation(tape, op, std::span(inputs.begin(), inputs.size()), shape, attributes);
}

/// The same for inputs that were looked up already: their indices, in records of the tape.
template <class T>
NewNode<T> append_kept(Tape<T>& tape, const Operation<T>& op, std::span<const std::uint32_t> inputs,
                       const NodeShape& shape, const void* attributes);

/// As append_outputs, for N outputs.
template <class T, std::size_t N>
std::array<NewNode<T>, N> append_operation(Tape<T>& tape, const Operation<T>& op,
                                           std::initializer_list<Var<T>> inputs,
                                           const std::array<NodeShape, N>& shapes,
                                           const void* attributes = nullptr) {
  std::array<NewNode<T>, N> nodes;
  append_outputs<T>(tape, op, std::span(inputs.begin(), inputs.size()), attributes, shapes, nodes);
  return nodes;
}

/// Appends a node whose value is in the tape already: that of an operation that changes no
/// number, of an input that was looked up already.
template <class T>
Var<T> append_alias(Tape<T>& tape, const Operation<T>& op, const Var<T>& input,
                    const NodeShape& shape, const T* value, const void* attributes = nullptr);

}  // namespace fjord
