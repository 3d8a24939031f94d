#include "fjord/autodiff/operation.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/simd.hpp"

namespace fjord {

Index stacking_axis(std::size_t rank) {
  return static_cast<Index>(rank >= 2 ? rank - 1 : rank);
}

Shape stacked_shape(const Shape& shape, Index count) {
  return shape.with_axis(static_cast<std::size_t>(stacking_axis(shape.rank())), count);
}

template <class T>
RecordedRule<T>::RecordedRule(Tape<T>& tape, std::uint32_t head) : RuleNode<T>(tape, head) {
  const std::size_t count = this->node_.input_count + this->node_.outputs;
  slots_ = tape.template new_records<std::uint32_t>(count);
  std::fill_n(slots_, count, zero);
}

template <class T>
void Reverse<T>::add(std::uint32_t i, const Var<T>& cotangent) {
  if (!wants(i)) return;
  const Var<T> sum = this->at_slot(i);
  this->slots_[i] = sum.is_empty() ? cotangent.index() : (sum + cotangent).index();
}

template <class T>
Target<T> ReverseKernel<T>::target(std::uint32_t i) {
  if (!wants(i)) return {};
  const std::uint32_t input = this->node_.inputs[i];
  T*& buffer = frame_.adjoint(input);
  const bool fresh = buffer == nullptr;
  if (fresh) {
    buffer = static_cast<T*>(pool_.take(static_cast<std::size_t>(input_shape(i).size) * sizeof(T)));
  }
  return {buffer, fresh};
}

template <class T>
void ReverseKernel<T>::pass(std::uint32_t i) {
  if (!wants(i)) return;
  T*& buffer = frame_.adjoint(this->node_.inputs[i]);
  T*& g = frame_.adjoint(this->head_);
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
    const TensorView<T> g(cotangent(k), this->tape_.node(this->head_ + k).shape.shape(),
                          Order::column_major);
    rule.output_slot(k) = this->tape_.borrow(g).index();
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

#define FJORD_INSTANTIATE(T)      \
  template class RecordedRule<T>; \
  template class Reverse<T>;      \
  template class Forward<T>;      \
  template class ReverseKernel<T>;
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
