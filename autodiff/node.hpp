/// What a tape consists of: its nodes, and the list that holds them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord {

template <class T>
struct Operation;

/// The shape of a node, kept in the tape; nodes of one shape share it.
struct NodeShape {
  const Index* sizes = nullptr;
  Index size = 1;
  std::uint32_t rank = 0;

  Index operator[](std::size_t axis) const { return sizes[axis]; }

  Shape shape() const { return Shape(std::span(sizes, rank)); }

  friend bool operator==(const NodeShape& a, const NodeShape& b) {
    if (a.rank != b.rank || a.size != b.size) return false;
    // Two or three sizes at most, as a rule: a call would cost more than the loop.
    for (std::size_t k = 0; a.sizes != b.sizes && k < a.rank; ++k) {
      if (a.sizes[k] != b.sizes[k]) return false;
    }
    return true;
  }
};

/// One entry of the tape: a leaf, or an output of an operation.
///
/// Note:    As large as a cache line: long sweeps take their time from memory.
template <class T>
struct alignas(64) Node {
  const Operation<T>* op = nullptr;       ///< null for a leaf
  const T* value = nullptr;               ///< column-major
  [[no_unique_address]] NodeShape shape;  // which leaves room for the count behind it
  std::uint32_t input_count = 0;
  const std::uint32_t* inputs = nullptr;  ///< indices of earlier nodes
  const void* attributes = nullptr;       ///< what else the operation's rules need
  std::uint32_t generation = 0;
  std::uint16_t output = 0;   ///< which of the operation's outputs; they stand one after another
  std::uint16_t outputs = 1;  ///< how many outputs the operation has
};

static_assert(sizeof(Node<double>) <= 64);

/// A list of nodes that stay where they are as it grows.
template <class T>
class NodeList final {
 public:
  std::size_t size() const { return size_; }

  const Node<T>& operator[](std::size_t i) const { return blocks_[i / block][i % block]; }

  /// Adds a node and returns it, to be assigned: it may hold what an ended one held.
  Node<T>& extend() {
    if (size_ == blocks_.size() * block) blocks_.push_back(std::make_unique<Node<T>[]>(block));
    Node<T>& node = blocks_[size_ / block][size_ % block];
    ++size_;
    return node;
  }

  /// Forgets all but the first `size` nodes; their memory is kept.
  void truncate(std::size_t size) { size_ = size; }

  /// Bytes of all blocks.
  std::size_t capacity() const { return blocks_.size() * block * sizeof(Node<T>); }

 private:
  static constexpr std::size_t block = 512;
  std::vector<std::unique_ptr<Node<T>[]>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace fjord
