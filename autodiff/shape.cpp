#include "fjord/autodiff/shape.hpp"

#include <functional>
#include <numeric>

#include "fjord/autodiff/errors.hpp"

namespace fjord {

Shape::Shape(std::span<const Index> sizes) : rank_(sizes.size()) {
  require(rank_ <= max_rank, "shape", [&] {
    return "at most " + std::to_string(max_rank) + " axes are possible, got " +
           std::to_string(rank_);
  });
  Index entries = 1;
  bool fits = true;
  for (std::size_t axis = 0; axis < rank_; ++axis) {
    const Index size = sizes[axis];
    require(size >= 0, "shape", [&] {
      return "sizes must not be negative, got " + std::to_string(size) + " for axis " +
             std::to_string(axis);
    });
    sizes_[axis] = size;
    fits = fits && !__builtin_mul_overflow(entries, std::max(size, Index{1}), &entries);
  }
  require(fits && entries <= max_size, "shape", [&] {
    return "at most " + std::to_string(max_size) + " entries can be addressed, got sizes " +
           to_string(*this);
  });
}

Index Shape::size() const {
  return std::accumulate(begin(), end(), Index{1}, std::multiplies<>());
}

Shape Shape::with_axis(std::size_t axis, Index size) const {
  std::array<Index, max_rank + 1> sizes{};
  std::copy(begin(), begin() + axis, sizes.begin());
  sizes[axis] = size;
  std::copy(begin() + axis, end(), sizes.begin() + axis + 1);
  return Shape(std::span(sizes.data(), rank_ + 1));
}

Shape Shape::without_axis(std::size_t axis) const {
  Shape result = *this;
  std::copy(begin() + axis + 1, end(), result.sizes_.begin() + axis);
  --result.rank_;
  return result;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  }
  return text + "]";
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  std::array<Index, Shape::max_rank> sizes{};
  std::copy(longer.begin(), longer.end(), sizes.begin());
  const std::size_t offset = longer.rank() - shorter.rank();
  for (std::size_t axis = 0; axis < shorter.rank(); ++axis) {
    const Index size = shorter[axis];
    Index& target = sizes[offset + axis];
    require(target == size || target == 1 || size == 1, op, [&] {
      return "shapes must match or broadcast, got " + to_string(a) + " and " + to_string(b);
    });
    if (target == 1) target = size;
  }
  return Shape(std::span(sizes.data(), longer.rank()));
}

namespace {

Index checked_size(bool overflows, Index size, const char* op) {
  require(!overflows && size <= Shape::max_size, op, [] {
    return "an axis can have at most " + std::to_string(Shape::max_size) + " entries";
  });
  return size;
}

}  // namespace

Index times_size(Index size, Index count, const char* op) {
  Index product = 0;
  const bool overflows = __builtin_mul_overflow(size, count, &product);
  return checked_size(overflows, product, op);
}

Index plus_size(Index size, Index more, const char* op) {
  Index sum = 0;
  const bool overflows = __builtin_add_overflow(size, more, &sum);
  return checked_size(overflows, sum, op);
}

std::size_t normalized_axis(Index axis, std::size_t rank, const char* op) {
  require(rank > 0, op, [&] {
    return "a tensor with axes is needed, got a scalar and axis " + std::to_string(axis);
  });
  const auto signed_rank = static_cast<Index>(rank);
  require(-signed_rank <= axis && axis < signed_rank, op, [&] {
    return "the axis must lie in [-" + std::to_string(rank) + ", " + std::to_string(rank) +
           "), got " + std::to_string(axis);
  });
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

}  // namespace fjord
