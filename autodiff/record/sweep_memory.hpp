/// Memory of the sweeps over a tape, kept from one sweep to the next.
#pragma once

#include <memory>
#include <vector>

#include "fjord/autodiff/record/arena.hpp"
#include "fjord/autodiff/record/push_order.hpp"

namespace fjord::record {

/// The buffers of cotangents, and a frame for each sweep that is under way (a rule may sweep, too).
template <class T>
class SweepMemory final {
 public:
  BufferPool pool;
  PushOrder<T> push_order;  ///< of the last forward sweep

  std::size_t capacity() const;

  /// Bytes of the frames, and of the buffers that have been taken at once.
  std::size_t peak_bytes() const { return capacity() - pool.capacity() + pool.peak_bytes(); }

  /// The frame of a sweep, as long as this object lives.
  class Scope final {
   public:
    explicit Scope(SweepMemory& memory) : memory_(memory) {
      if (memory_.depth_ == memory_.frames_.size())
        memory_.frames_.push_back(std::make_unique<SweepFrame<T>>());
      frame_ = memory_.frames_[memory_.depth_++].get();
    }

    ~Scope() { --memory_.depth_; }

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    SweepFrame<T>& frame() { return *frame_; }

   private:
    SweepMemory& memory_;
    SweepFrame<T>* frame_;
  };

 private:
  std::vector<std::unique_ptr<SweepFrame<T>>> frames_;
  std::size_t depth_ = 0;
};

}  // namespace fjord::record
