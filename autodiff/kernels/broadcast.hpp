/// Loops over tensors that are broadcast against each other, run by run.
#pragma once

#include <array>

#include "fjord/autodiff/kernels/node_shape.hpp"

namespace fjord::kernels {

/// The loops over a column-major result whose N operands are broadcast to it, with as few axes as
/// possible.
///
/// The first axis is the run: in it every operand has stride 1, or 0 where it is stretched.
template <std::size_t N>
class BroadcastLoops {
 public:
  BroadcastLoops(const NodeShape& result, const std::array<NodeShape, N>& operands) {
    std::array<Index, N> dense;
    dense.fill(1);
    for (std::size_t axis = 0; axis < result.rank; ++axis) {
      std::array<Index, N> strides{};
      for (std::size_t k = 0; k < N; ++k) {
        const std::size_t missing = result.rank - operands[k].rank;
        const Index size = axis < missing ? 1 : operands[k][axis - missing];
        strides[k] = size == 1 ? 0 : dense[k];
        dense[k] *= size;
      }
      if (result[axis] != 1) add_axis(result[axis], strides);
    }
  }

  /// Calls body(offsets of the operands, offset of the result) for every run.
  template <class Body>
  void for_each_run(Body body) const {
    if (empty_) return;
    Index at = 0;
    walk(1, rank_, {}, [&](const Offsets& offsets) {
      body(offsets, at);
      at += run();
    });
  }

  Index run() const { return rank_ == 0 ? 1 : sizes_[0]; }

  bool is_stretched(std::size_t operand) const { return rank_ == 0 || strides_[0][operand] == 0; }

 protected:
  using Offsets = std::array<Index, N>;

  // Calls body(offsets) for every step through the axes [first, last), from the given offsets on.
  template <class Body>
  void walk(std::size_t first, std::size_t last, Offsets offsets, Body body) const {
    std::array<Index, Shape::max_rank> counter{};
    while (true) {
      body(offsets);
      std::size_t axis = first;
      for (; axis < last; ++axis) {
        for (std::size_t k = 0; k < N; ++k) offsets[k] += strides_[axis][k];
        if (++counter[axis] < sizes_[axis]) break;
        for (std::size_t k = 0; k < N; ++k) offsets[k] -= strides_[axis][k] * sizes_[axis];
        counter[axis] = 0;
      }
      if (axis >= last) return;
    }
  }

  std::size_t rank_ = 0;
  std::array<Index, Shape::max_rank> sizes_;
  std::array<Offsets, Shape::max_rank> strides_;
  bool empty_ = false;

 private:
  void add_axis(Index size, const std::array<Index, N>& strides) {
    empty_ |= size == 0;
    if (rank_ > 0) {
      bool continues = true;
      for (std::size_t k = 0; k < N; ++k)
        continues &= strides[k] == strides_[rank_ - 1][k] * sizes_[rank_ - 1];
      if (continues) {
        sizes_[rank_ - 1] *= size;
        return;
      }
    }
    sizes_[rank_] = size;
    strides_[rank_++] = strides;
  }
};

}  // namespace fjord::kernels
