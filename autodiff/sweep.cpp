#include "fjord/autodiff/sweep.hpp"

#include <optional>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/record/watch.hpp"

namespace fjord {

using namespace kernels;
using namespace record;

namespace {

template <class T>
Tape<T>& tape_of(std::span<const Var<T>> a, std::span<const Var<T>> b, const char* op) {
  require(!a.empty() && !b.empty(), op, "at least one input and one output are needed");
  return a.front().tape();
}

// Starts the frame over the nodes between the inputs and the outputs.
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

// An output can lie before every input; nothing flows through it then.
template <class T>
bool is_reached(SweepFrame<T>& frame, const Var<T>& output) {
  return frame.is_active(output.index());
}

void check_count(std::size_t variables, std::size_t derivatives, const char* what, const char* op) {
  require(variables == derivatives, op, [&] {
    return std::string("one ") + what + " is needed, got " + std::to_string(derivatives) + " for " +
           std::to_string(variables);
  });
}

void check_derivative(const Shape& expected, const Shape& got, const char* op) {
  require(expected == got, op, [&] {
    return "a derivative must have the shape of its variable, " + to_string(expected) + ", got " +
           to_string(got);
  });
}

template <class T>
std::size_t byte_size(const Node<T>& node) {
  return static_cast<std::size_t>(node.shape.size) * sizeof(T);
}

// Gives back the cotangents that a sweep holds when it ends, also when a rule throws.
template <class T>
class AdjointGuard final {
 public:
  AdjointGuard(Tape<T>& tape, SweepFrame<T>& frame) : tape_(tape), frame_(frame) {}

  AdjointGuard(const AdjointGuard&) = delete;
  AdjointGuard& operator=(const AdjointGuard&) = delete;

  ~AdjointGuard() {
    for (std::uint32_t i = frame_.first(); !is_done_ && i <= frame_.last(); ++i) release(i);
  }

  /// At the end of a sweep only its inputs hold cotangents.
  void release_at_end(std::span<const Var<T>> inputs) {
    for (const Var<T>& input : inputs) release(input.index());
    is_done_ = true;
  }

  void release(std::uint32_t i) {
    if (frame_.adjoint(i) == nullptr) return;
    frame_.give_back(i, tape_.node(i).shape.size, tape_.sweep_memory().pool);
  }

 private:
  Tape<T>& tape_;
  SweepFrame<T>& frame_;
  bool is_done_ = false;
};

template <class T>
void add_to(T* target, bool fresh, const T* values, Index count) {
  simd::accumulate(count, target, fresh, simd::same, values);
}

// The rule in operations, recorded, its values taken, and rewound.
template <class T>
void pullback_by_rule(ReverseKernel<T>& kernel) {
  const RewindScope<T> scope(kernel.tape());
  const RuleScope<T> rule_scope(kernel.tape().watch(), kernel.head());
  Reverse<T> rule(kernel.tape(), kernel.head());
  kernel.ask(rule);
  rule.node().op->pullback(rule);
  kernel.add_from(rule);
}

// Asks for what rules will read some nodes from now: a walk backward is none that processors foresee.
template <class T>
void prefetch_ahead(const Tape<T>& tape, std::uint32_t i, std::uint32_t first) {
  constexpr std::uint32_t distance = 16;
  if (i < first + distance) return;
  const auto* value = reinterpret_cast<const char*>(tape.node(i - distance).value);
  __builtin_prefetch(value);
  __builtin_prefetch(value + Arena::alignment);
}

template <class T>
void run(ReverseKernel<T>& kernel) {
  if (kernel.node().op->pullback_values != nullptr) {
    kernel.node().op->pullback_values(kernel);
  } else {
    pullback_by_rule(kernel);
  }
}

// With its time added up, and what it gave checked.
template <class T>
void run_watched(ReverseKernel<T>& kernel, SweepFrame<T>& frame, Watch<T>& watch) {
  const char* name = kernel.node().op->name;
  const double start = watch.clock != nullptr ? watch.clock() : 0;
  run(kernel);
  if (watch.clock != nullptr) watch.add_sweep(name, start);
  if (!watch.checks) return;
  for (std::uint32_t k = 0; k < kernel.input_count(); ++k) {
    const std::uint32_t input = kernel.node().inputs[k];
    if (!kernel.wants(k) || frame.adjoint(input) == nullptr) continue;
    watch.check_cotangent(kernel.tape(), input, frame.adjoint(input),
                          std::string("[") + name + "] the cotangent that it, node " +
                              std::to_string(kernel.head()) + ", gives to its input " +
                              std::to_string(k));
  }
}

template <class T>
void walk_values(Tape<T>& tape, SweepFrame<T>& frame, AdjointGuard<T>& guard) {
  Watch<T>* const watch = tape.watch();
  // Rules may sweep forward, too.
  PushOrder<T> order = std::exchange(tape.sweep_memory().push_order, {});
  order.for_each_backward(tape, frame, [&](std::uint32_t i) {
    prefetch_ahead(tape, i, frame.first());
    const Node<T>& node = tape.node(i);
    if (node.output != 0 || !frame.depends(i) || !frame.has_adjoint(i, node.outputs)) return;
    ReverseKernel<T> kernel(tape, i, frame, tape.sweep_memory().pool);
    if (watch != nullptr) [[unlikely]] {
      run_watched(kernel, frame, *watch);
    } else {
      run(kernel);
    }
    if (node.outputs == 1 && node.shape.size == 1) return;  // its place is the frame's
    // An input's cotangent is a result and must stay; it is marked needed.
    for (std::uint32_t k = 0; k < node.outputs; ++k) {
      if (!frame.is_needed(i + k)) guard.release(i + k);
    }
  });
  tape.sweep_memory().push_order = std::move(order);
}

template <class T>
void check_seeds(const Tape<T>& tape, SweepFrame<T>& frame, std::span<const Var<T>> outputs) {
  for (const Var<T>& output : outputs) {
    if (!is_reached(frame, output)) continue;
    tape.watch()->check_cotangent(tape, output.index(), frame.adjoint(output.index()),
                                  "[pullback] the cotangent given");
  }
}

// Copies the inputs' cotangents to the frame's results, in place of those of an earlier sweep.
template <class T>
void collect_results(Tape<T>& tape, SweepFrame<T>& frame, std::span<const Var<T>> inputs) {
  BufferPool& pool = tape.sweep_memory().pool;
  for (const auto& [buffer, bytes] : frame.result_buffers) pool.give_back(buffer, bytes);
  frame.result_buffers.clear();
  frame.results.clear();
  for (const Var<T>& input : inputs) {
    const Node<T>& node = tape.node(input.index());
    const T* adjoint = frame.adjoint(input.index());
    auto* buffer = static_cast<T*>(pool.take(byte_size(node)));
    frame.result_buffers.push_back({buffer, byte_size(node)});
    if (adjoint == nullptr) {
      std::fill_n(buffer, node.shape.size, T(0));
    } else {
      std::copy_n(adjoint, node.shape.size, buffer);
    }
    frame.results.push_back(TensorView<T>(buffer, node.shape.shape(), Order::column_major));
  }
}

}  // namespace

template <class T>
std::span<const TensorView<T>> pullback_values(std::span<const Var<T>> outputs,
                                               std::span<const TensorView<T>> cotangents,
                                               std::span<const Var<T>> inputs) {
  constexpr const char* op = "pullback";
  Tape<T>& tape = tape_of(inputs, outputs, op);
  check_count(outputs.size(), cotangents.size(), "cotangent for each output", op);
  typename SweepMemory<T>::Scope scope(tape.sweep_memory());
  SweepFrame<T>& frame = scope.frame();
  start_between(frame, tape, inputs, outputs, SweepFrame<T>::Mode::values, op);
  for (const Var<T>& input : inputs) frame.mark_needed(input.index());
  AdjointGuard<T> guard(tape, frame);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Node<T>& node = tape.node(outputs[k].index());
    check_derivative(node.shape.shape(), cotangents[k].shape(), op);
    if (!is_reached(frame, outputs[k])) continue;
    T*& adjoint = frame.adjoint(outputs[k].index());
    const bool fresh = adjoint == nullptr;
    if (fresh) adjoint = frame.take(outputs[k].index(), node.shape.size, tape.sweep_memory().pool);
    if (cotangents[k].is_column_major()) {
      add_to(adjoint, fresh, cotangents[k].data(), node.shape.size);
    } else {
      const Tensor<T> dense(cotangents[k]);
      add_to(adjoint, fresh, dense.data(), node.shape.size);
    }
  }
  if (tape.watch() != nullptr && tape.watch()->checks) check_seeds<T>(tape, frame, outputs);
  walk_values(tape, frame, guard);
  collect_results(tape, frame, inputs);
  guard.release_at_end(inputs);
  return frame.results;
}

template <class T>
std::span<const TensorView<T>> gradient_values(
    const Var<T>& output, std::type_identity_t<std::span<const Var<T>>> inputs) {
  const NodeShape& shape = output.tape().node(output, "gradient").shape;
  require(shape.size == 1, "gradient", [&] {
    return "the function must give one number, got shape " + to_string(shape.shape()) +
           "; sum it, or use a vector-Jacobian product";
  });
  const T one(1);
  const TensorView<T> cotangent(&one, shape.shape(), Order::column_major);
  return pullback_values<T>(std::span(&output, 1), std::span(&cotangent, 1), inputs);
}

namespace {

// Adds a node to the derivative of another; a sum is a node of its own, as an earlier one may be
// read.
template <class T>
void add_derivative(Tape<T>& tape, SweepFrame<T>& frame, std::uint32_t of, std::uint32_t part) {
  std::uint32_t& sum = frame.derivative(of);
  sum = sum == frame.none ? part : (tape.var(sum) + tape.var(part)).index();
}

// Appends the rule of the operation at `head` and adds what it gives to the sums of the frame; what
// is needed keeps its sum to itself.
template <class T>
void pull_one(Tape<T>& tape, std::uint32_t head, SweepFrame<T>& frame) {
  if (tape.node(head).output != 0 || !frame.depends(head)) return;
  Reverse<T> rule(tape, head);
  const RuleScope<T> scope(tape.watch(), head);
  const Node<T>& node = rule.node();
  bool reached = false;
  for (std::uint32_t k = 0; k < node.outputs; ++k) {
    if (!frame.is_needed(head + k)) rule.output_slot(k) = frame.derivative(head + k);
    reached |= rule.output_slot(k) != rule.zero;
  }
  if (!reached) return;
  for (std::uint32_t i = 0; i < node.input_count; ++i) {
    if (!frame.is_active(node.inputs[i])) rule.input_slot(i) = rule.unwanted;
  }
  node.op->pullback(rule);
  for (std::uint32_t i = 0; i < node.input_count; ++i) {
    if (rule.input_slot(i) < rule.unwanted)
      add_derivative(tape, frame, node.inputs[i], rule.input_slot(i));
  }
}

template <class T>
Vars<T> pull(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs,
             bool independent) {
  constexpr const char* op = "pullback";
  Tape<T>& tape = tape_of<T>(inputs, outputs, op);
  check_count(outputs.size(), cotangents.size(), "cotangent for each output", op);
  typename SweepMemory<T>::Scope scope(tape.sweep_memory());
  SweepFrame<T>& frame = scope.frame();
  start_between<T>(frame, tape, inputs, outputs, SweepFrame<T>::Mode::recorded, op);
  for (const Var<T>& input : inputs) {
    if (independent) frame.mark_needed(input.index());
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    check_derivative(outputs[k].shape(), tape.node(cotangents[k], op).shape.shape(), op);
    if (is_reached(frame, outputs[k]))
      add_derivative(tape, frame, outputs[k].index(), cotangents[k].index());
  }
  for (std::uint32_t i = frame.last() + 1; i-- > frame.first();) pull_one(tape, i, frame);
  Vars<T> results;
  for (const Var<T>& input : inputs) {
    const std::uint32_t sum = frame.derivative(input.index());
    results.push_back(sum == frame.none ? tape.filled(tape.node(input.index()).shape, T(0))
                                        : tape.var(sum));
  }
  return results;
}

}  // namespace

template <class T>
Vars<T> pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs) {
  return pull(outputs, cotangents, inputs, false);
}

template <class T>
Vars<T> partial_pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs) {
  return pull(outputs, cotangents, inputs, true);
}

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
    // An input that is no leaf has its tangent already.
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
          std::span<const Var<T>> outputs, std::span<Var<T>> results) {
  constexpr const char* op = "pushforward";
  Tape<T>& tape = tape_of(inputs, outputs, op);
  check_count(inputs.size(), tangents.size(), "tangent for each input", op);
  typename SweepMemory<T>::Scope scope(tape.sweep_memory());
  SweepFrame<T>& frame = scope.frame();
  start_between(frame, tape, inputs, outputs, SweepFrame<T>::Mode::recorded, op);
  for (const Var<T>& output : outputs) {
    if (output.index() >= frame.first()) frame.mark_needed(output.index());
  }
  std::optional<Index> stack;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::optional<Index> count =
        stack_of(inputs[k].shape(), tape.node(tangents[k], op).shape.shape(), op);
    require(k == 0 || count == stack, op, "all tangents must be stacked alike");
    stack = count;
    add_derivative(tape, frame, inputs[k].index(), tangents[k].index());
  }
  frame.spread_needed(tape);
  // Of an empty stack there is nothing to compute; to rules, a stack of 0 means a single tangent.
  if (stack != Index{0}) push_all(tape, frame, stack.value_or(0));
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const std::uint32_t index = outputs[k].index();
    const bool reached =
        index >= frame.first() && index <= frame.last() && frame.derivative(index) != frame.none;
    const NodeShape& shape = tape.node(index).shape;
    results[k] = reached ? tape.var(frame.derivative(index))
                 : !stack
                     ? tape.filled(NodeShape(shape), T(0))
                     : tape.filled(tape.keep_shape(stacked_shape(shape.shape(), *stack)), T(0));
  }
}

}  // namespace

template <class T>
Vars<T> pushforward(const Vars<T>& inputs, const Vars<T>& tangents, const Vars<T>& outputs) {
  Vars<T> results(outputs.size());
  push<T>(inputs, tangents, outputs, results);
  return results;
}

template <class T>
Var<T> pushforward(const Var<T>& input, const Var<T>& tangent, const Var<T>& output) {
  Var<T> result;
  push<T>(std::span(&input, 1), std::span(&tangent, 1), std::span(&output, 1),
          std::span(&result, 1));
  return result;
}

template <class T>
std::vector<Tensor<T>> pushforward_values(const Vars<T>& inputs, const Vars<T>& tangents,
                                          const Vars<T>& outputs) {
  require(!inputs.empty(), "pushforward", "at least one input and one output are needed");
  const RewindScope<T> scope(inputs.front().tape());
  std::vector<Tensor<T>> results;
  for (const Var<T>& result : pushforward(inputs, tangents, outputs))
    results.emplace_back(result.value());
  return results;
}

#define FJORD_INSTANTIATE(T)                                                             \
  template Vars<T> pullback(const Vars<T>&, const Vars<T>&, const Vars<T>&);             \
  template Vars<T> partial_pullback(const Vars<T>&, const Vars<T>&, const Vars<T>&);     \
  template std::span<const TensorView<T>> pullback_values(                               \
      std::span<const Var<T>>, std::span<const TensorView<T>>, std::span<const Var<T>>); \
  template std::span<const TensorView<T>> gradient_values<T>(const Var<T>&,              \
                                                             std::span<const Var<T>>);   \
  template Vars<T> pushforward(const Vars<T>&, const Vars<T>&, const Vars<T>&);          \
  template Var<T> pushforward(const Var<T>&, const Var<T>&, const Var<T>&);              \
  template std::vector<Tensor<T>> pushforward_values(const Vars<T>&, const Vars<T>&,     \
                                                     const Vars<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
