#include "fjord/autodiff/sweep.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/inner_sweep.hpp"
#include "fjord/autodiff/rules/sweep_parts.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

// An output can lie before every input; nothing flows through it then.
template <class T>
bool is_reached(SweepFrame<T>& frame, const Var<T>& output) {
  return frame.is_active(output.index());
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
void add_to(T* target, bool fresh, const T* values, Index count, Of of) {
  if (of == Of::users) {
    simd::accumulate(count, target, fresh, simd::seed, values);
  } else {
    simd::accumulate(count, target, fresh, simd::same, values);
  }
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

// Asks for what rules will read some nodes from now: a walk backward is none that processors
// foresee.
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
void collect_results(Tape<T>& tape, SweepFrame<T>& frame, std::span<const Var<T>> inputs, Of of) {
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
      std::fill_n(buffer, node.shape.size, of == Of::users ? T(0) : simd::masked_zero<T>);
    } else if (of == Of::users) {
      simd::transform(
          node.shape.size, buffer, [](const auto& g) { return simd::computed<T>(g); }, adjoint);
    } else {
      std::copy_n(adjoint, node.shape.size, buffer);
    }
    frame.results.push_back(TensorView<T>(buffer, node.shape.shape(), Order::column_major));
  }
}

template <class T>
std::span<const TensorView<T>> pull_values(std::span<const Var<T>> outputs,
                                           std::span<const TensorView<T>> cotangents,
                                           std::span<const Var<T>> inputs, Of of) {
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
      add_to(adjoint, fresh, cotangents[k].data(), node.shape.size, of);
    } else {
      const Tensor<T> dense(cotangents[k]);
      add_to(adjoint, fresh, dense.data(), node.shape.size, of);
    }
  }
  if (tape.watch() != nullptr && tape.watch()->checks) check_seeds<T>(tape, frame, outputs);
  SweepScope<T> watched(tape.watch());
  walk_values(tape, frame, guard);
  collect_results(tape, frame, inputs, of);
  guard.release_at_end(inputs);
  watched.finish(tape, frame.results);
  return frame.results;
}

}  // namespace

template <class T>
std::span<const TensorView<T>> pullback_values(std::span<const Var<T>> outputs,
                                               std::span<const TensorView<T>> cotangents,
                                               std::span<const Var<T>> inputs) {
  return pull_values(outputs, cotangents, inputs, Of::users);
}

template <class T>
std::span<const TensorView<T>> rules::inner_pullback_values(
    std::span<const Var<T>> outputs, std::span<const TensorView<T>> cotangents,
    std::span<const Var<T>> inputs) {
  return pull_values(outputs, cotangents, inputs, Of::rules);
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
             bool independent, Of of) {
  constexpr const char* op = "pullback";
  Tape<T>& tape = tape_of<T>(inputs, outputs, op);
  check_count(outputs.size(), cotangents.size(), "cotangent for each output", op);
  typename SweepMemory<T>::Scope scope(tape.sweep_memory());
  SweepFrame<T>& frame = scope.frame();
  start_between<T>(frame, tape, inputs, outputs, SweepFrame<T>::Mode::recorded, op);
  SweepScope<T> watched(tape.watch());
  for (const Var<T>& input : inputs) {
    if (independent) frame.mark_needed(input.index());
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    check_derivative(outputs[k].shape(), tape.node(cotangents[k], op).shape.shape(), op);
    if (is_reached(frame, outputs[k]))
      add_derivative(tape, frame, outputs[k].index(), given_derivative(cotangents[k], of).index());
  }
  for (std::uint32_t i = frame.last() + 1; i-- > frame.first();) pull_one(tape, i, frame);
  Vars<T> results;
  for (const Var<T>& input : inputs) {
    const std::uint32_t i = input.index();
    results.push_back(handed_out(tape, frame.derivative(i), tape.node(i).shape, of));
  }
  finish<T>(watched, tape, results);
  return results;
}

}  // namespace

template <class T>
Vars<T> pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs) {
  return pull(outputs, cotangents, inputs, false, Of::users);
}

template <class T>
Vars<T> rules::inner_pullback(const Vars<T>& outputs, const Vars<T>& cotangents,
                              const Vars<T>& inputs) {
  return pull(outputs, cotangents, inputs, false, Of::rules);
}

template <class T>
Vars<T> partial_pullback(const Vars<T>& outputs, const Vars<T>& cotangents, const Vars<T>& inputs) {
  return pull(outputs, cotangents, inputs, true, Of::users);
}

#define FJORD_INSTANTIATE(T)                                                              \
  template Vars<T> pullback(const Vars<T>&, const Vars<T>&, const Vars<T>&);              \
  template Vars<T> partial_pullback(const Vars<T>&, const Vars<T>&, const Vars<T>&);      \
  template std::span<const TensorView<T>> pullback_values(                                \
      std::span<const Var<T>>, std::span<const TensorView<T>>, std::span<const Var<T>>);  \
  template std::span<const TensorView<T>> gradient_values<T>(const Var<T>&,               \
                                                             std::span<const Var<T>>);    \
  template Vars<T> rules::inner_pullback(const Vars<T>&, const Vars<T>&, const Vars<T>&); \
  template std::span<const TensorView<T>> rules::inner_pullback_values(                   \
      std::span<const Var<T>>, std::span<const TensorView<T>>, std::span<const Var<T>>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
