#include "fjord/autodiff/operation.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord {

using namespace kernels;
using namespace record;

Index stacking_axis(std::size_t rank) {
  return static_cast<Index>(rank >= 2 ? rank - 1 : rank);
}

Shape stacked_shape(const Shape& shape, Index count) {
  return shape.with_axis(static_cast<std::size_t>(stacking_axis(shape.rank())), count);
}

namespace {

// Whether a shape is that of `count` stacked tangents, or with 0 that of a single one.
bool is_stack(const NodeShape& shape, const NodeShape& single, Index count) {
  if (count == 0) return shape == single;
  const auto axis = static_cast<std::size_t>(stacking_axis(single.rank));
  return shape.rank == single.rank + 1 && shape[axis] == count &&
         std::equal(single.sizes, single.sizes + axis, shape.sizes) &&
         std::equal(single.sizes + axis, single.sizes + single.rank, shape.sizes + axis + 1);
}

}  // namespace

template <class T>
RecordedRule<T>::RecordedRule(Tape<T>& tape, std::uint32_t head) : RuleNode<T>(tape, head) {
  const std::size_t count = this->node_.input_count + this->node_.outputs;
  slots_ = tape.template new_records<std::uint32_t>(count);
  std::fill_n(slots_, count, zero);
}

template <class T>
void Reverse<T>::add(std::uint32_t i, const Var<T>& cotangent) {
  if (!wants(i) || cotangent.is_empty()) return;
  const char* name = this->node_.op->name;
  const NodeShape expected = this->input_node(i).shape;
  const NodeShape got = this->tape_.node(cotangent, name).shape;
  require(got == expected, name, [&] {
    return "its rule must give a cotangent of shape " + to_string(expected.shape()) +
           " for input " + std::to_string(i) + ", got " + to_string(got.shape());
  });
  const Var<T> sum = this->at_slot(i);
  this->slots_[i] = sum.is_empty() ? cotangent.index() : (sum + cotangent).index();
}

template <class T>
void Forward<T>::set(std::uint32_t k, const Var<T>& tangent) {
  if (tangent.is_empty()) return;
  const char* name = this->node_.op->name;
  const NodeShape single = this->tape_.node(this->head_ + k).shape;
  const NodeShape got = this->tape_.node(tangent, name).shape;
  require(is_stack(got, single, stack_), name, [&] {
    const Shape shape = single.shape();
    return "its rule must give a tangent of shape " +
           to_string(stack_ == 0 ? shape : stacked_shape(shape, stack_)) + " for output " +
           std::to_string(k) + ", got " + to_string(got.shape());
  });
  this->output_slot(k) = tangent.index();
}

template <class T>
void ReverseKernel<T>::pass(std::uint32_t i) {
  if (!wants(i)) return;
  T*& buffer = frame_.adjoint(this->node_.inputs[i]);
  T*& g = frame_.adjoint(this->head_);
  if (size() == 1) return add_number(i, *g);
  if (buffer == nullptr && !frame_.is_needed(this->head_)) {
    // This node is done with its cotangent, so the buffer changes hands instead of being copied.
    std::swap(buffer, g);
    return;
  }
  const Target<T> sum = target(i);
  simd::accumulate(size(), sum.data, sum.fresh, simd::same, static_cast<const T*>(g));
}

template <class T>
void ReverseKernel<T>::ask(Reverse<T>& rule) const {
  for (std::uint32_t i = 0; i < this->node_.input_count; ++i) {
    if (!wants(i)) rule.input_slot(i) = rule.unwanted;
  }
  for (std::uint32_t k = 0; k < this->node_.outputs; ++k) {
    if (cotangent(k) == nullptr) continue;
    const NodeShape& shape = this->tape_.node(this->head_ + k).shape;
    rule.output_slot(k) = this->tape_.borrow(shape, cotangent(k)).index();
  }
}

template <class T>
void ReverseKernel<T>::add_from(Reverse<T>& rule) {
  for (std::uint32_t i = 0; i < this->node_.input_count; ++i) {
    if (rule.input_slot(i) >= rule.unwanted) continue;
    const Target<T> sum = target(i);
    simd::accumulate(input_shape(i).size, sum.data, sum.fresh, simd::same,
                     this->tape_.node(rule.input_slot(i)).value);
  }
}

namespace {

template <class T>
const std::uint32_t* keep_indices(Tape<T>& tape, std::span<const Var<T>> inputs, const char* op) {
  auto* indices = tape.template new_records<std::uint32_t>(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    static_cast<void>(tape.node(inputs[i], op));
    indices[i] = inputs[i].index();
  }
  return indices;
}

}  // namespace

template <class T>
void append_outputs(Tape<T>& tape, const Operation<T>& op, std::span<const Var<T>> inputs,
                    const void* attributes, std::span<const NodeShape> shapes,
                    std::span<NewNode<T>> nodes) {
  const std::uint32_t* indices = keep_indices(tape, inputs, op.name);
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    T* value = tape.new_values(shapes[k].size);
    const auto output = static_cast<std::uint16_t>(k);
    const bool is_head = k == 0;
    const Var<T> var = tape.append(output, [&](Node<T>& node) {
      node.op = &op;
      node.value = value;
      node.shape = shapes[k];
      node.inputs = is_head ? indices : nullptr;
      node.attributes = is_head ? attributes : nullptr;
      node.input_count = is_head ? static_cast<std::uint32_t>(inputs.size()) : 0;
      node.output = output;
      node.outputs = is_head ? static_cast<std::uint16_t>(shapes.size()) : 1;
    });
    nodes[k] = {var, value};
  }
}

template <class T>
NewNode<T> append_kept(Tape<T>& tape, const Operation<T>& op, std::span<const std::uint32_t> inputs,
                       const NodeShape& shape, const void* attributes) {
  T* value = tape.new_values(shape.size);
  const Var<T> var = tape.append(0, [&](Node<T>& node) {
    node.op = &op;
    node.value = value;
    node.shape = shape;
    node.inputs = inputs.data();
    node.attributes = attributes;
    node.input_count = static_cast<std::uint32_t>(inputs.size());
    node.output = 0;
    node.outputs = 1;
  });
  return {var, value};
}

template <class T>
NewNode<T> append_operation(Tape<T>& tape, const Operation<T>& op, std::span<const Var<T>> inputs,
                            const NodeShape& shape, const void* attributes) {
  const std::span indices(keep_indices(tape, inputs, op.name), inputs.size());
  return append_kept(tape, op, indices, shape, attributes);
}

template <class T>
Var<T> append_alias(Tape<T>& tape, const Operation<T>& op, const Var<T>& input,
                    const NodeShape& shape, const T* value, const void* attributes) {
  const std::uint32_t* index = tape.keep(input.index());
  return tape.append(0, [&](Node<T>& node) {
    node.op = &op;
    node.value = value;
    node.shape = shape;
    node.inputs = index;
    node.attributes = attributes;
    node.input_count = 1;
    node.output = 0;
    node.outputs = 1;
  });
}

#define FJORD_INSTANTIATE(T)                                                                     \
  template class RecordedRule<T>;                                                                \
  template class Reverse<T>;                                                                     \
  template class Forward<T>;                                                                     \
  template class ReverseKernel<T>;                                                               \
  template NewNode<T> append_kept(Tape<T>&, const Operation<T>&, std::span<const std::uint32_t>, \
                                  const NodeShape&, const void*);                                \
  template NewNode<T> append_operation(Tape<T>&, const Operation<T>&, std::span<const Var<T>>,   \
                                       const NodeShape&, const void*);                           \
  template void append_outputs(Tape<T>&, const Operation<T>&, std::span<const Var<T>>,           \
                               const void*, std::span<const NodeShape>, std::span<NewNode<T>>);  \
  template Var<T> append_alias(Tape<T>&, const Operation<T>&, const Var<T>&, const NodeShape&,   \
                               const T*, const void*);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
