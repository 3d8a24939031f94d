#include "fjord/autodiff/rules/reduction.hpp"

#include "fjord/autodiff/errors.hpp"

namespace fjord::rules {

using namespace kernels;

ReducedShapes reduced_shapes(const Shape& shape, std::span<const Index> axes, const char* op) {
  std::array<bool, Shape::max_rank> reduced{};
  for (const Index axis : axes) {
    const std::size_t k = normalized_axis(axis, shape.rank(), op);
    require(!reduced[k], op, [&] { return "axis " + std::to_string(axis) + " is named twice"; });
    reduced[k] = true;
  }
  std::array<Index, Shape::max_rank> kept{};
  std::array<Index, Shape::max_rank> dropped{};
  std::size_t rank = 0;
  Index count = 1;
  for (std::size_t k = 0; k < shape.rank(); ++k) {
    kept[k] = reduced[k] ? 1 : shape[k];
    if (reduced[k]) {
      count *= shape[k];
    } else {
      dropped[rank++] = shape[k];
    }
  }
  return {Shape(std::span(kept.data(), shape.rank())), Shape(std::span(dropped.data(), rank)),
          count};
}

}  // namespace fjord::rules
