#include "fjord/autodiff/record/watch.hpp"

#include <cmath>
#include <stdexcept>

#include "fjord/autodiff/operation.hpp"

namespace fjord::record {
namespace {

template <class T>
std::string node_text(const Tape<T>& tape, std::uint32_t index) {
  const std::string label(tape.label_at(index));
  return "node " + std::to_string(index) + ", shape " + to_string(tape.node(index).shape.shape()) +
         (label.empty() ? "" : ", \"" + label + "\"");
}

template <class T>
Index first_bad(const T* numbers, Index count) {
  Index i = 0;
  while (i < count && std::isfinite(numbers[i])) ++i;
  return i;
}

// Text such as "nan at [1, 0]".
template <class T>
std::string entry_text(const NodeShape& shape, const T* numbers, Index at) {
  const T number = numbers[at];
  std::string text = std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
  text += " at [";
  for (std::size_t axis = 0; axis < shape.rank; ++axis) {
    text += (axis == 0 ? "" : ", ") + std::to_string(at % shape[axis]);
    at /= shape[axis];
  }
  return text + "]";
}

}  // namespace

template <class T>
const char* operation_name(const Tape<T>& tape, std::uint32_t index) {
  const Node<T>& node = tape.node(index - tape.node(index).output);
  return node.op == nullptr ? "leaf" : node.op->name;
}

template <class T>
void Watch<T>::skip(const Tape<T>& tape) {
  next_ = tape.size();
  if (clock != nullptr) since_ = clock();
}

template <class T>
void Watch<T>::settle(const Tape<T>& tape) {
  settle_time(tape);
  const std::size_t first = std::exchange(next_, tape.size());
  if (!checks) return;
  for (std::size_t i = first; i < tape.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    const Node<T>& node = tape.node(index);
    const Index bad = first_bad(node.value, node.shape.size);
    if (bad == node.shape.size) continue;
    const Node<T>& head = tape.node(index - node.output);
    std::string text =
        std::string("[") + operation_name(tape, index) +
        "] its value is the first that is not finite: " + entry_text(node.shape, node.value, bad) +
        " of " + node_text(tape, index);
    for (std::uint32_t k = 0; k < head.input_count; ++k)
      text += (k == 0 ? "; from " : "; ") + node_text(tape, head.inputs[k]);
    report(text + rule_text(tape));
  }
}

template <class T>
void Watch<T>::rewind(const Tape<T>& tape, std::size_t nodes) {
  settle_time(tape);
  next_ = std::min(next_, nodes);
}

template <class T>
void Watch<T>::check_cotangent(const Tape<T>& tape, std::uint32_t node, const T* cotangent,
                               const std::string& what) {
  const NodeShape& shape = tape.node(node).shape;
  const Index bad = first_bad(cotangent, shape.size);
  if (bad == shape.size) return;
  report(what + " is the first that is not finite: " + entry_text(shape, cotangent, bad) + " of " +
         node_text(tape, node));
}

template <class T>
void Watch<T>::report(const std::string& text) {
  if (sweeps_ == 0) throw std::range_error(text);
  if (held_.empty()) held_ = text;
}

template <class T>
void SweepScope<T>::finish(const Tape<T>& tape, std::span<const TensorView<T>> results) {
  if (watch_ == nullptr || watch_->sweeps_ > 1 || !watch_->checks) return;
  watch_->settle(tape);
  if (watch_->held_.empty()) return;
  for (const TensorView<T>& result : results) {
    const Index size = result.shape().size();
    if (first_bad(result.data(), size) < size) throw std::range_error(watch_->held_);
  }
}

template <class T>
typename Watch<T>::Times& Watch<T>::times_of(const char* op) {
  const auto found = times.find(op);
  return found != times.end() ? found->second : times[op];
}

template <class T>
void Watch<T>::settle_time(const Tape<T>& tape) {
  if (clock == nullptr) return;
  const double now = clock();
  if (next_ < tape.size())
    times_of(operation_name(tape, static_cast<std::uint32_t>(next_))).record += now - since_;
  since_ = now;
}

template <class T>
std::string Watch<T>::rule_text(const Tape<T>& tape) const {
  if (rule_ == none) return "";
  return std::string("; in the rule of ") + operation_name(tape, rule_) + ", " +
         node_text(tape, rule_);
}

#define FJORD_INSTANTIATE(T)    \
  template class Watch<T>;      \
  template class SweepScope<T>; \
  template const char* operation_name(const Tape<T>&, std::uint32_t);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::record
