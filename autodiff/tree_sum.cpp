#include "fjord/autodiff/tree_sum.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>

#include "fjord/autodiff/errors.hpp"

namespace fjord {
namespace {

struct NodeHead {
  std::uint64_t first;
  std::uint64_t last;
  std::uint64_t values;
  std::uint64_t numbers;
};

template <class V>
void append_numbers(std::string& bytes, std::span<V> numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}

// Takes numbers off the front of bytes.
void take_numbers(std::string_view& bytes, void* to, std::size_t count) {
  require(bytes.size() >= count, "tree_sum", "the bytes of another sum are cut short");
  if (count > 0) std::memcpy(to, bytes.data(), count);
  bytes.remove_prefix(count);
}

}  // namespace

template <class T>
void TreeSum<T>::reset(std::size_t terms) {
  terms_ = terms;
  nodes_.clear();
  used_copies_ = 0;
}

template <class T>
void TreeSum<T>::push(const TreeTerm<T>& term) {
  if (!nodes_.empty()) {
    const TreeTerm<T>& before = nodes_.back();
    require(before.last == term.first, "tree_sum", "terms must follow each other");
    require(
        before.values.size() == term.values.size() && before.numbers.size() == term.numbers.size(),
        "tree_sum", "all terms must have as many numbers");
  }
  nodes_.push_back(term);
  while (has_sibling_at_end()) {
    const TreeTerm<T> right = nodes_.back();
    nodes_.pop_back();
    TreeTerm<T>& left = nodes_.back();
    std::ranges::transform(left.values, right.values, left.values.begin(), std::plus());
    std::ranges::transform(left.numbers, right.numbers, left.numbers.begin(), std::plus());
    left.last = right.last;
  }
}

template <class T>
bool TreeSum<T>::has_sibling_at_end() const {
  if (nodes_.size() < 2) return false;
  const TreeTerm<T>& left = nodes_[nodes_.size() - 2];
  const TreeTerm<T>& right = nodes_.back();
  const std::size_t width = left.last - left.first;
  return left.first % (2 * width) == 0 && right.last == std::min(right.first + width, terms_);
}

template <class T>
typename TreeSum<T>::Copy& TreeSum<T>::copy_of(std::size_t values, std::size_t numbers) {
  if (used_copies_ == copies_.size()) copies_.emplace_back();
  Copy& copy = copies_[used_copies_++];
  copy.values.resize(values);
  copy.numbers.resize(numbers);
  return copy;
}

template <class T>
void TreeSum<T>::push_written(std::string_view bytes) {
  while (!bytes.empty()) {
    NodeHead head{};
    take_numbers(bytes, &head, sizeof(head));
    Copy& copy = copy_of(head.values, head.numbers);
    take_numbers(bytes, copy.values.data(), head.values * sizeof(T));
    take_numbers(bytes, copy.numbers.data(), head.numbers * sizeof(double));
    push({head.first, head.last, copy.values, copy.numbers});
  }
}

template <class T>
void TreeSum<T>::write(std::string& bytes) const {
  for (const TreeTerm<T>& node : nodes_) {
    const NodeHead head{node.first, node.last, node.values.size(), node.numbers.size()};
    bytes.append(reinterpret_cast<const char*>(&head), sizeof(head));
    append_numbers(bytes, node.values);
    append_numbers(bytes, node.numbers);
  }
}

template class TreeSum<float>;
template class TreeSum<double>;

}  // namespace fjord
