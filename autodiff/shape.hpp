/// Sizes of a tensor's axes, and numpy's broadcasting of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

namespace fjord {

using Index = std::ptrdiff_t;

/// The order in which a flat sequence of entries runs through a tensor.
enum class Order {
  c,             ///< last axis fastest: numpy's default, and Fjord's wherever no order is named
  column_major,  ///< first axis fastest: how Fjord stores tensors, so this order is free
};

/// Sizes of the axes, outermost (the batch) first; no axes is a scalar.
///
/// Units:   every size is >= 0; a size of 0 is an ordinary empty tensor.
/// Errors:  std::invalid_argument if a size is negative, there are more than `max_rank` axes, or
///          more than `max_size` entries even if every size of 0 were 1.
class Shape final {
 public:
  /// More axes than any use so far; fixed so that a shape never allocates.
  static constexpr std::size_t max_rank = 16;
  /// As many entries as can be addressed, so that neither sizes, strides nor bytes overflow.
  static constexpr Index max_size = std::numeric_limits<Index>::max() / 16;

  Shape() = default;

  Shape(std::initializer_list<Index> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}

  explicit Shape(std::span<const Index> sizes);

  Shape(const Shape& other) { *this = other; }

  Shape& operator=(const Shape& other) {
    rank_ = other.rank_;
    std::copy_n(other.sizes_.begin(), rank_, sizes_.begin());
    return *this;
  }

  std::size_t rank() const { return rank_; }

  /// Number of entries: the product of the sizes, 1 for a scalar.
  Index size() const;

  Index operator[](std::size_t axis) const { return sizes_[axis]; }

  const Index* begin() const { return sizes_.data(); }

  const Index* end() const { return sizes_.data() + rank_; }

  /// The shape with one axis more, of `size`, in front of axis `axis` (0 <= axis <= rank).
  Shape with_axis(std::size_t axis, Index size) const;
  /// The shape without axis `axis`.
  Shape without_axis(std::size_t axis) const;

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::size_t rank_ = 0;
  std::array<Index, max_rank> sizes_;  // entries from rank_ on are never read
};

/// Text such as "[256, 2]".
std::string to_string(const Shape& shape);

/// The shape that `a` and `b` have together by numpy's rules: trailing axes aligned, size 1
/// stretched.
///
/// Errors:  std::invalid_argument, in the name of `op`, if two sizes differ and neither is 1.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);

/// The number of entries of `count` times `size`, or of `size` and `more` one after another: what
/// an axis becomes.
///
/// Errors:  std::invalid_argument, in the name of `op`, if there are more than Shape::max_size.
Index times_size(Index size, Index count, const char* op);
Index plus_size(Index size, Index more, const char* op);

/// The axis that `axis` names, counted from the end if negative, as numpy does.
///
/// Errors:  std::invalid_argument, in the name of `op`, if axis is not in [-rank, rank), or the
///          tensor is a scalar.
std::size_t normalized_axis(Index axis, std::size_t rank, const char* op);

}  // namespace fjord
