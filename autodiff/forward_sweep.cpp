#include <optional>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/inner_sweep.hpp"
#include "fjord/autodiff/rules/sweep_parts.hpp"

namespace fjord {

using namespace record;
using namespace rules;

namespace {

// Calls a rule that takes one tangent at a time for each of the stacked ones.
template <class T>
void push_each(Forward<T>& whole, std::uint32_t head) {
  Tape<T>& tape = whole.tape();
  const Node<T>& node = whole.node();
  // The parts of output o stand at o count, o count + 1, ...
  const auto count = static_cast<std::size_t>(whole.stack());
  auto* parts = tape.template new_records<Var<T>>(node.outputs * count);
  std::fill_n(parts, node.outputs * count, Var<T>());
  for (Index k = 0; k < whole.stack(); ++k) {
    Forward<T> single(tape, head, 0);
    for (std::uint32_t o = 0; o < node.outputs; ++o) single.output_slot(o) = whole.output_slot(o);
    for (std::uint32_t i = 0; i < node.input_count; ++i) {
      if (whole.tangent(i).is_empty()) continue;
      const Shape shape = tape.node(node.inputs[i]).shape.shape();
      const Var<T> slab = slice(whole.tangent(i), stacking_axis(shape.rank()), k, k + 1);
      single.input_slot(i) = reshape(slab, shape).index();
    }
    node.op->pushforward(single);
    for (std::uint32_t o = 0; o < node.outputs; ++o) {
      if (single.output_slot(o) >= single.unwanted) continue;
      const Var<T> part = tape.var(single.output_slot(o));
      parts[o * count + static_cast<std::size_t>(k)] =
          reshape(part, stacked_shape(part.shape(), 1));
    }
  }
  for (std::uint32_t o = 0; o < node.outputs; ++o) {
    const std::span<const Var<T>> all(parts + o * count, count);
    if (!all.front().is_empty())
      whole.set(o, concatenate(all, stacking_axis(tape.node(head + o).shape.rank)));
  }
}

// Appends the rule of the operation at `head`, if a tangent reaches it and one of its outputs is
// needed.
template <class T>
void push_one(Tape<T>& tape, std::uint32_t head, SweepFrame<T>& frame, Index stack) {
  if (tape.node(head).output != 0 || !frame.depends(head)) return;
  Forward<T> rule(tape, head, stack);
  const RuleScope<T> scope(tape.watch(), head);
  const Node<T>& node = rule.node();
  bool needed = false;
  for (std::uint32_t o = 0; o < node.outputs; ++o) {
    // An input that is not a leaf has its tangent already.
    if (frame.is_needed(head + o) && frame.derivative(head + o) == frame.none) {
      needed = true;
    } else {
      rule.output_slot(o) = rule.unwanted;
    }
  }
  bool moved = false;
  for (std::uint32_t i = 0; i < node.input_count; ++i) {
    if (!frame.is_active(node.inputs[i])) continue;
    rule.input_slot(i) = frame.derivative(node.inputs[i]);
    moved |= rule.input_slot(i) != rule.zero;
  }
  if (!needed || !moved) return;
  if (!node.op->pushforward(rule)) push_each(rule, head);
  for (std::uint32_t o = 0; o < node.outputs; ++o) {
    if (rule.output_slot(o) < rule.unwanted) frame.derivative(head + o) = rule.output_slot(o);
  }
}

template <class T>
void push_all(Tape<T>& tape, SweepFrame<T>& frame, Index stack) {
  // Rules may sweep, too.
  PushOrder<T> order = std::exchange(tape.sweep_memory().push_order, {});
  order.begin(frame.first(), frame.last());
  for (std::uint32_t i = frame.first(); i <= frame.last(); ++i) {
    order.note(tape);
    push_one(tape, i, frame, stack);
  }
  order.note(tape);
  order.end(tape);
  tape.sweep_memory().push_order = std::move(order);
}

// How many tangents are stacked; none if it is one that is not stacked.
std::optional<Index> stack_of(const Shape& variable, const Shape& tangent, const char* op) {
  if (tangent == variable) return std::nullopt;
  const auto axis = static_cast<std::size_t>(stacking_axis(variable.rank()));
  const bool stacked =
      tangent.rank() == variable.rank() + 1 && stacked_shape(variable, tangent[axis]) == tangent;
  if (!stacked) check_derivative(variable, tangent, op);
  return tangent[axis];
}

template <class T>
void push(std::span<const Var<T>> inputs, std::span<const Var<T>> tangents,
          std::span<const Var<T>> outputs, std::span<Var<T>> results, Of of) {
  constexpr const char* op = "pushforward";
  Tape<T>& tape = tape_of(inputs, outputs, op);
  check_count(inputs.size(), tangents.size(), "tangent for each input", op);
  typename SweepMemory<T>::Scope scope(tape.sweep_memory());
  SweepFrame<T>& frame = scope.frame();
  start_between(frame, tape, inputs, outputs, SweepFrame<T>::Mode::recorded, op);
  SweepScope<T> watched(tape.watch());
  for (const Var<T>& output : outputs) {
    if (output.index() >= frame.first()) frame.mark_needed(output.index());
  }
  std::optional<Index> stack;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::optional<Index> count =
        stack_of(inputs[k].shape(), tape.node(tangents[k], op).shape.shape(), op);
    require(k == 0 || count == stack, op, "all tangents must be stacked alike");
    stack = count;
    add_derivative(tape, frame, inputs[k].index(), given_derivative(tangents[k], of).index());
  }
  frame.spread_needed(tape);
  // Of an empty stack there is nothing to compute; to rules, a stack of 0 means a single tangent.
  if (stack != Index{0}) push_all(tape, frame, stack.value_or(0));
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const std::uint32_t index = outputs[k].index();
    const bool is_inside = index >= frame.first() && index <= frame.last();
    const NodeShape& single = tape.node(index).shape;
    results[k] =
        handed_out(tape, is_inside ? frame.derivative(index) : frame.none,
                   stack ? tape.keep_shape(stacked_shape(single.shape(), *stack)) : single, of);
  }
  finish<T>(watched, tape, results);
}

}  // namespace

template <class T>
Vars<T> pushforward(const Vars<T>& inputs, const Vars<T>& tangents, const Vars<T>& outputs) {
  Vars<T> results(outputs.size());
  push<T>(inputs, tangents, outputs, results, Of::users);
  return results;
}

template <class T>
Vars<T> rules::inner_pushforward(const Vars<T>& inputs, const Vars<T>& tangents,
                                 const Vars<T>& outputs) {
  Vars<T> results(outputs.size());
  push<T>(inputs, tangents, outputs, results, Of::rules);
  return results;
}

template <class T>
Var<T> pushforward(const Var<T>& input, const Var<T>& tangent, const Var<T>& output) {
  Var<T> result;
  push<T>(std::span(&input, 1), std::span(&tangent, 1), std::span(&output, 1),
          std::span(&result, 1), Of::users);
  return result;
}

template <class T>
std::vector<Tensor<T>> pushforward_values(const Vars<T>& inputs, const Vars<T>& tangents,
                                          const Vars<T>& outputs) {
  require(!inputs.empty(), "pushforward", "at least one input and one output are needed");
  const RewindScope<T> scope(inputs.front().tape());
  std::vector<Tensor<T>> results;
  for (const Var<T>& result : pushforward(inputs, tangents, outputs))
    results.emplace_back(rules::unmasked(result).value());
  return results;
}

#define FJORD_INSTANTIATE(T)                                                                 \
  template Vars<T> pushforward(const Vars<T>&, const Vars<T>&, const Vars<T>&);              \
  template Var<T> pushforward(const Var<T>&, const Var<T>&, const Var<T>&);                  \
  template Vars<T> rules::inner_pushforward(const Vars<T>&, const Vars<T>&, const Vars<T>&); \
  template std::vector<Tensor<T>> pushforward_values(const Vars<T>&, const Vars<T>&,         \
                                                     const Vars<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
