/// The order in which a long forward sweep was recorded, for the backward sweep over it.
#pragma once

#include <vector>

#include "fjord/autodiff/record/sweep_frame.hpp"

namespace fjord::record {

/// Which nodes a forward sweep appended for which.
///
/// A backward sweep that ran through all tangents before the first of the nodes they belong to
/// would find nothing of these in the caches, and hold all their cotangents at once. It takes each
/// node right after its tangents instead, which is an order of evaluation backward, too: a tangent
/// depends on nodes and tangents no later than its own. Where one does not, because a node was
/// given as a tangent or a rule reads one of its own, the order is not noted.
template <class T>
class PushOrder final {
 public:
  /// Begins the sweep over the nodes [first, last]; a short one, which caches hold, is not noted.
  void begin(std::uint32_t first, std::uint32_t last) {
    starts_.clear();
    first_ = first;
    last_ = last;
    is_noted_ = last - first >= shortest;
    generation_ = none;
  }

  /// Notes where the tangents of the next node begin, and so where those of the one before end.
  void note(const Tape<T>& tape) {
    if (is_noted_ && !starts_.empty()) is_noted_ = !looks_ahead(tape);
    if (is_noted_) starts_.push_back(static_cast<std::uint32_t>(tape.size()));
  }

  /// Ends the sweep, after a last note.
  void end(const Tape<T>& tape) {
    if (is_noted_ && starts_.front() < starts_.back())
      generation_ = tape.node(starts_.back() - 1).generation;
  }

  /// Calls visit(i) for the nodes of a frame, each after all that depend on it; leaves out some
  /// that do not depend on what is active.
  template <class Visit>
  void for_each_backward(const Tape<T>& tape, const SweepFrame<T>& frame, Visit visit) const {
    const auto run = [&](std::uint32_t end, std::uint32_t begin) {
      while (end > begin) visit(--end);
    };
    if (!fits(tape, frame)) return run(frame.last() + 1, frame.first());
    run(frame.last() + 1, starts_.back());
    for (std::size_t k = starts_.size() - 1; k-- > 0;) {
      run(starts_[k + 1], starts_[k]);
      visit(first_ + static_cast<std::uint32_t>(k));
    }
    run(first_, frame.first());
  }

  /// Bytes that are kept.
  std::size_t capacity() const { return starts_.capacity() * sizeof(std::uint32_t); }

 private:
  static constexpr std::uint32_t shortest = 4096;
  static constexpr std::uint32_t none = 0;  // no node is of this generation

  // Whether a tangent of the last noted node depends on a later node.
  bool looks_ahead(const Tape<T>& tape) const {
    const std::uint32_t head = first_ + static_cast<std::uint32_t>(starts_.size() - 1);
    const std::uint32_t later = head + tape.node(head).outputs;
    for (std::uint32_t i = starts_.back(); i < tape.size(); ++i) {
      const Node<T>& node = tape.node(i);
      for (std::uint32_t k = 0; k < node.input_count; ++k) {
        if (node.inputs[k] >= later && node.inputs[k] <= last_) return true;
      }
    }
    return false;
  }

  // Whether the noted nodes are those of the tape, all in the frame, and none between the nodes and
  // the tangents is active: these may depend on nodes that belong to later tangents.
  bool fits(const Tape<T>& tape, const SweepFrame<T>& frame) const {
    if (generation_ == none || frame.first() > first_ || frame.last() + 1 < starts_.back() ||
        tape.node(starts_.back() - 1).generation != generation_)
      return false;
    const auto count = static_cast<std::uint32_t>(starts_.size() - 1);
    for (std::uint32_t i = first_ + count; i < starts_.front(); ++i) {
      if (frame.depends(i)) return false;
    }
    return true;
  }

  std::vector<std::uint32_t> starts_;  // of the tangents of first_, first_ + 1, ..., and their end
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t generation_ = none;  // of the last tangent
  bool is_noted_ = false;
};

}  // namespace fjord::record
