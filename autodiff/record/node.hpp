/// What a tape consists of: its nodes, and the list that holds them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fjord/autodiff/kernels/node_shape.hpp"

namespace fjord {

template <class T>
struct Operation;

using kernels::NodeShape;

}  // namespace fjord

namespace fjord::record {

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
  std::uint16_t output = 0;   ///< which of the operation's outputs; they follow one another
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

}  // namespace fjord::record
