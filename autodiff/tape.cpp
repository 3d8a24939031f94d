#include "fjord/autodiff/tape.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/record/sweep_memory.hpp"
#include "fjord/autodiff/record/watch.hpp"

namespace fjord {

using namespace record;

template <class T>
Tape<T>& Var<T>::tape() const {
  require(tape_ != nullptr, "var", "the handle is empty: it was never given a node");
  return *tape_;
}

template <class T>
Shape Var<T>::shape() const {
  return tape().node(*this, "shape").shape.shape();
}

template <class T>
TensorView<T> Var<T>::value() const {
  const Node<T>& node = tape().node(*this, "value");
  tape().settle();
  return TensorView<T>(node.value, node.shape.shape(), Order::column_major);
}

template <class T>
Tape<T>::Tape() : sweep_memory_(std::make_unique<SweepMemory<T>>()) {}

template <class T>
Tape<T>::~Tape() {
  clear();
}

template <class T>
Var<T> Tape<T>::input(const Tensor<T>& numbers) {
  T* value = new_values(numbers.size());
  std::copy_n(numbers.data(), numbers.size(), value);
  return borrow(keep_shape(numbers.shape()), value);
}

template <class T>
Var<T> Tape<T>::borrow(const TensorView<T>& numbers) {
  const NodeShape shape = keep_shape(numbers.shape());
  if (numbers.is_column_major()) return borrow(shape, numbers.data());
  T* value = new_values(shape.size);
  numbers.copy_to(value, Order::column_major);
  return borrow(shape, value);
}

template <class T>
Var<T> Tape<T>::scalar(T number) {
  return filled(NodeShape{}, number);
}

template <class T>
Var<T> Tape<T>::filled(const NodeShape& shape, T number) {
  T* value = new_values(shape.size);
  std::fill_n(value, shape.size, number);
  return borrow(shape, value);
}

template <class T>
Var<T> Tape<T>::bind(const Parameter<T>& parameter) {
  const auto is_it = [&](std::size_t place) {
    return place < bound_.size() && bound_[place].token == parameter.token();
  };
  std::size_t place = next_bound_;
  if (!is_it(place)) {
    place = run_of_bound_;
    for (std::size_t i = 0; !is_it(place) && i < bound_.size(); ++i) place = i;
    if (!is_it(place)) {
      place = bound_.size();
      const Var<T> leaf = borrow(parameter.value());
      bound_.push_back({parameter.token(), leaf.index()});
    }
    run_of_bound_ = place;
  }
  next_bound_ = place + 1;
  return var(bound_[place].index);
}

template <class T>
typename Tape<T>::Mark Tape<T>::mark() const {
  return {nodes_.size(), nodes_.size() == 0 ? 0 : nodes_[nodes_.size() - 1].generation,
          values_.mark(), records_.mark()};
}

template <class T>
void Tape<T>::rewind(const Mark& mark) {
  require(is_valid(mark), "rewind",
          "the mark must be of this recording, got one that was rewound already");
  if (watch_ != nullptr) watch_->rewind(*this, mark.nodes);
  peak_bytes_ = std::max(peak_bytes_, used_bytes());
  while (!labels_.empty() && labels_.back().index >= mark.nodes) labels_.pop_back();
  while (!bound_.empty() && bound_.back().index >= mark.nodes) bound_.pop_back();
  while (!owned_.empty() && owned_.back().index >= mark.nodes) owned_.pop_back();
  nodes_.truncate(mark.nodes);
  values_.rewind(mark.values);
  records_.rewind(mark.records);
  ++generation_;
}

template <class T>
std::vector<Var<T>> Tape<T>::rewind_but_bound(const Mark& mark) {
  struct Leaf {
    std::shared_ptr<const void> token;
    const T* value;
    Shape shape;
  };

  std::vector<Leaf> leaves;
  for (const Bound& bound : bound_) {
    if (bound.index < mark.nodes) continue;
    leaves.push_back({bound.token, nodes_[bound.index].value, nodes_[bound.index].shape.shape()});
  }
  rewind(mark);
  std::vector<Var<T>> bound;
  for (const Leaf& leaf : leaves) {
    bound.push_back(borrow(keep_shape(leaf.shape), leaf.value));
    bound_.push_back({leaf.token, bound.back().index()});
  }
  return bound;
}

template <class T>
bool Tape<T>::redirect(std::uint32_t first, std::uint32_t oldest,
                       std::span<const std::uint32_t> from, std::span<const Var<T>> to) {
  bool found_all = true;
  for (std::size_t i = first; i < nodes_.size(); ++i) {
    // Lists of inputs lie in the tape's own records, which are its to change.
    auto* inputs = const_cast<std::uint32_t*>(nodes_[i].inputs);
    for (std::uint32_t k = 0; k < nodes_[i].input_count; ++k) {
      if (inputs[k] >= oldest) continue;
      const auto at = std::lower_bound(from.begin(), from.end(), inputs[k]);
      const bool is_found = at != from.end() && *at == inputs[k];
      if (is_found) inputs[k] = to[static_cast<std::size_t>(at - from.begin())].index();
      found_all &= is_found;
    }
  }
  return found_all;
}

template <class T>
std::size_t Tape<T>::capacity() const {
  return nodes_.capacity() + values_.capacity() + records_.capacity() + sweep_memory_->capacity();
}

template <class T>
NodeShape Tape<T>::keep_shape(const Shape& shape) {
  auto* sizes = new_records<Index>(shape.rank());
  std::copy(shape.begin(), shape.end(), sizes);
  return {sizes, shape.size(), static_cast<std::uint32_t>(shape.rank())};
}

template <class T>
std::size_t Tape<T>::used_bytes() const {
  return nodes_.size() * sizeof(Node<T>) + values_.used() + records_.used();
}

template <class T>
std::size_t Tape<T>::peak_bytes() const {
  return std::max(peak_bytes_, used_bytes()) + sweep_memory_->peak_bytes();
}

template <class T>
Watch<T>& Tape<T>::kept_watch() {
  if (kept_watch_ == nullptr) kept_watch_ = std::make_unique<Watch<T>>();
  return *kept_watch_;
}

template <class T>
void Tape<T>::set_watch() {
  Watch<T>& watch = kept_watch();
  if (watch_ == nullptr) watch.skip(*this);
  watch_ = watch.checks || watch.clock != nullptr ? &watch : nullptr;
}

template <class T>
void Tape<T>::check_finite(bool on) {
  settle();
  kept_watch().checks = on;
  set_watch();
}

template <class T>
void Tape<T>::profile(Clock clock) {
  settle();
  kept_watch().clock = clock;
  if (clock != nullptr) kept_watch().times.clear();
  set_watch();
}

template <class T>
void Tape<T>::settle() {
  if (watch_ != nullptr) watch_->settle(*this);
}

template <class T>
void Tape<T>::label(const Var<T>& var, std::string text) {
  static_cast<void>(node(var, "label"));
  const auto at = std::lower_bound(labels_.begin(), labels_.end(), var.index(),
                                   [](const Label& a, std::uint32_t b) { return a.index < b; });
  if (at != labels_.end() && at->index == var.index()) {
    at->text = std::move(text);
  } else {
    labels_.insert(at, {var.index(), std::move(text)});
  }
}

template <class T>
std::string_view Tape<T>::label_at(std::uint32_t index) const {
  const auto at = std::lower_bound(labels_.begin(), labels_.end(), index,
                                   [](const Label& a, std::uint32_t b) { return a.index < b; });
  return at != labels_.end() && at->index == index ? std::string_view(at->text)
                                                   : std::string_view();
}

template <class T>
void Tape<T>::reject(const Var<T>& var, const char* op) const {
  const char* what = var.tape_ == nullptr ? "the handle is empty: it was never given a node"
                     : var.tape_ != this
                         ? "the handle belongs to another tape; record all operands on one tape"
                         : "the handle's node was ended by a rewind; record it again";
  fail(op, what);
}

template class Var<float>;
template class Var<double>;
template class Tape<float>;
template class Tape<double>;

}  // namespace fjord
