#include "fjord/autodiff/record/evaluation.hpp"

#include <limits>

#include "fjord/autodiff/errors.hpp"

namespace fjord::record {
namespace {

template <class T>
Tape<T>& tape_of(const Vars<T>& inputs, const std::string& op) {
  require(!inputs.empty(), op, "at least one variable is needed");
  return inputs.front().tape();
}

std::size_t byte_size(Index count, std::size_t entry) {
  return static_cast<std::size_t>(count) * entry;
}

}  // namespace

template <class T>
Evaluation<T>::Evaluation(const Vars<T>& inputs, std::string op)
    : tape_(tape_of(inputs, op)), op_(std::move(op)), mark_(tape_.mark()) {}

template <class T>
Evaluation<T>::~Evaluation() {
  if (!is_closed_ && tape_.is_valid(mark_)) tape_.rewind(mark_);
  for (const Kept& kept : kept_)
    tape_.sweep_memory().pool.give_back(kept.numbers, byte_size(kept.shape.size(), sizeof(T)));
}

template <class T>
std::vector<std::uint32_t> Evaluation<T>::captured() const {
  std::vector<std::uint32_t> found;
  for (std::size_t i = mark_.nodes; i < tape_.size(); ++i) {
    const Node<T>& node = tape_.node(static_cast<std::uint32_t>(i));
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] < mark_.nodes) found.push_back(node.inputs[k]);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

template <class T>
Vars<T> Evaluation<T>::close(const Vars<T>& outputs) {
  require(!outputs.empty(), op_, "the function must give at least one variable");
  constexpr std::size_t most = std::numeric_limits<decltype(Node<T>::outputs)>::max();
  require(outputs.size() <= most, op_, [&] {
    return "the function may give at most " + std::to_string(most) + " variables, got " +
           std::to_string(outputs.size());
  });
  tape_.settle();
  for (const Var<T>& output : outputs) {
    const Node<T>& node = tape_.node(output, op_.c_str());
    const Shape shape = node.shape.shape();
    auto* numbers =
        static_cast<T*>(tape_.sweep_memory().pool.take(byte_size(shape.size(), sizeof(T))));
    std::copy_n(node.value, shape.size(), numbers);
    kept_.push_back({shape, numbers});
  }
  is_closed_ = true;
  return tape_.rewind_but_bound(mark_);
}

template <class T>
Vars<T> Evaluation<T>::append(const Operation<T>& op, const Vars<T>& inputs,
                              std::shared_ptr<const void> object) {
  std::vector<NodeShape> shapes;
  for (const Kept& kept : kept_) shapes.push_back(tape_.keep_shape(kept.shape));
  std::vector<NewNode<T>> nodes(kept_.size());
  const void* attributes = object.get();
  tape_.own(std::move(object));
  append_outputs<T>(tape_, op, inputs, attributes, shapes, nodes);
  Vars<T> results;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    std::copy_n(kept_[k].numbers, kept_[k].shape.size(), nodes[k].value);
    results.push_back(nodes[k].var);
  }
  return results;
}

template class Evaluation<float>;
template class Evaluation<double>;

}  // namespace fjord::record
