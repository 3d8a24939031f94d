/// The shape of a node, as loops over raw memory see it.
#pragma once

#include <cstdint>
#include <span>

#include "fjord/autodiff/shape.hpp"

namespace fjord::kernels {

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

}  // namespace fjord::kernels
