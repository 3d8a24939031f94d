/// Column-major memory as one axis sees it.
#pragma once

#include "fjord/autodiff/kernels/node_shape.hpp"

namespace fjord::kernels {

/// Around one axis: `outer` blocks of (size of the axis) runs of `inner` entries.
struct AxisLayout {
  Index inner = 1;
  Index outer = 1;

  AxisLayout(const NodeShape& shape, std::size_t axis) {
    for (std::size_t k = 0; k < axis; ++k) inner *= shape[k];
    for (std::size_t k = axis + 1; k < shape.rank; ++k) outer *= shape[k];
  }
};

}  // namespace fjord::kernels
