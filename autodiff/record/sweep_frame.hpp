/// What a sweep over a tape knows of the nodes.
#pragma once

#include <utility>
#include <vector>

#include "fjord/autodiff/tape.hpp"

namespace fjord::record {

/// What one sweep knows of the nodes `first`, `first` + 1, ...: which matter, and their
/// derivatives.
template <class T>
class SweepFrame final {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  enum class Mode { values, recorded };

  /// Starts a sweep over the nodes in [first, last].
  void start(std::uint32_t first, std::uint32_t last, Mode mode);
  /// Marks all nodes in range that depend on a node marked active, and all that a needed node
  /// without a derivative depends on.
  void spread_active(const Tape<T>& tape);
  void spread_needed(const Tape<T>& tape);

  std::uint32_t first() const { return first_; }

  std::uint32_t last() const { return last_; }

  void mark_active(std::uint32_t node) { marks_[node - first_] |= active; }

  void mark_needed(std::uint32_t node) { marks_[node - first_] |= needed; }

  bool is_active(std::uint32_t node) const { return is_marked(node, active); }

  /// Whether it is the operation behind the node that makes it active, not a mark of its own.
  bool depends(std::uint32_t node) const { return is_marked(node, dependent); }

  bool is_needed(std::uint32_t node) const { return is_marked(node, needed); }

  /// The buffer that holds a node's cotangent, null if zero (sweep of values).
  T*& adjoint(std::uint32_t node) { return adjoints_[node - first_]; }

  /// Whether a cotangent reaches one of an operation's outputs.
  bool has_adjoint(std::uint32_t head, std::uint32_t outputs) const {
    bool found = adjoints_[head - first_] != nullptr;
    for (std::uint32_t k = 1; k < outputs; ++k) found |= adjoints_[head + k - first_] != nullptr;
    return found;
  }

  /// The frame's own place for the cotangent of a node of size 1, which needs no buffer.
  T* number(std::uint32_t node) { return &numbers_[node - first_]; }

  /// Memory for a node's cotangent; `give_back` takes that of a node that has one.
  T* take(std::uint32_t node, Index size, BufferPool& pool) {
    if (size == 1) return number(node);
    return static_cast<T*>(pool.take(static_cast<std::size_t>(size) * sizeof(T)));
  }

  void give_back(std::uint32_t node, Index size, BufferPool& pool) {
    T*& buffer = adjoint(node);
    if (size != 1) pool.give_back(buffer, static_cast<std::size_t>(size) * sizeof(T));
    buffer = nullptr;
  }

  /// The node that holds a node's derivative, `none` if zero (recorded sweeps).
  std::uint32_t& derivative(std::uint32_t node) { return derivatives_[node - first_]; }

  /// Bytes that the frame keeps.
  std::size_t capacity() const;

  std::vector<TensorView<T>> results;
  std::vector<std::pair<T*, std::size_t>> result_buffers;

 private:
  enum Marks : std::uint8_t { active = 1, needed = 2, dependent = 4 };

  bool is_marked(std::uint32_t node, Marks mark) const {
    const std::uint32_t at = node - first_;  // huge if the node is before the first
    return at <= last_ - first_ && (marks_[at] & mark) != 0;
  }

  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::vector<std::uint8_t> marks_;
  std::vector<T*> adjoints_;
  std::vector<T> numbers_;
  std::vector<std::uint32_t> derivatives_;
};

}  // namespace fjord::record
