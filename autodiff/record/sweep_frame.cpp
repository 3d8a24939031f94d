#include "fjord/autodiff/record/sweep_frame.hpp"

namespace fjord::record {

template <class T>
void SweepFrame<T>::start(std::uint32_t first, std::uint32_t last, Mode mode) {
  first_ = first;
  last_ = last;
  const std::size_t count = last - first + 1;
  marks_.assign(count, 0);
  if (mode == Mode::values) {
    adjoints_.assign(count, nullptr);
    if (numbers_.size() < count) numbers_.resize(count);
  } else {
    derivatives_.assign(count, none);
  }
}

template <class T>
void SweepFrame<T>::spread_active(const Tape<T>& tape) {
  std::uint8_t* const marks = marks_.data();
  const std::uint32_t count = last_ - first_ + 1;
  for (std::uint32_t i = first_; i <= last_; ++i) {
    const Node<T>& node = tape.node(i);
    // Outputs after the first follow their head, which holds the inputs.
    bool moves = node.output > 0 && depends(i - node.output);
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      const std::uint32_t at = node.inputs[k] - first_;
      moves |= at < count && (marks[at] & active) != 0;
    }
    if (moves) marks[i - first_] |= active | dependent;
  }
}

template <class T>
void SweepFrame<T>::spread_needed(const Tape<T>& tape) {
  for (std::uint32_t i = last_ + 1; i-- > first_;) {
    // What has a derivative already needs nothing.
    if ((marks_[i - first_] & needed) == 0 || derivatives_[i - first_] != none) continue;
    const std::uint32_t head = i - tape.node(i).output;
    if (head < first_) continue;
    const Node<T>& node = tape.node(head);
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] >= first_ && node.inputs[k] <= last_) mark_needed(node.inputs[k]);
    }
  }
}

template <class T>
std::size_t SweepFrame<T>::capacity() const {
  return marks_.capacity() + adjoints_.capacity() * sizeof(T*) + numbers_.capacity() * sizeof(T) +
         derivatives_.capacity() * sizeof(std::uint32_t);
}

template class SweepFrame<float>;
template class SweepFrame<double>;

}  // namespace fjord::record
