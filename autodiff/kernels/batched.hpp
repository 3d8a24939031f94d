/// Batches of matrices on raw memory: packed one after another, and unpacked again.
///
/// The axes of the batch come first, so in column-major memory the entries of one matrix are as
/// far apart as there are matrices. A single matrix is read and written in place.
#pragma once

#include <cmath>

#include "fjord/autodiff/kernels/node_shape.hpp"
#include "fjord/autodiff/record/arena.hpp"

namespace fjord::kernels {

/// The last two axes of a shape as matrices, all others as their number.
struct MatrixBatch {
  Index count;
  Index rows;
  Index columns;

  Index size() const { return rows * columns; }
};

/// Shapes:  at least two axes.
inline MatrixBatch matrices_of(const NodeShape& shape) {
  return {Shape(std::span(shape.sizes, shape.rank - 2)).size(), shape[shape.rank - 2],
          shape[shape.rank - 1]};
}

/// A column-major matrix inside another of `stride` rows.
template <class T>
struct StridedMatrix {
  T* data;
  Index stride;
};

/// Writes the transpose of a matrix [rows, columns], or adds it.
template <class T>
void transpose_into(Index rows, Index columns, const StridedMatrix<const T>& from,
                    const StridedMatrix<T>& to, bool add = false) {
  // Tiles as wide as a cache line, so that every line is read and written once.
  constexpr Index width = 64 / static_cast<Index>(sizeof(T));
  const auto move_tile = [&](Index r, Index c) {
    std::array<T, width * width> tile;
    const Index height = std::min(width, rows - r);
    const Index breadth = std::min(width, columns - c);
    for (Index j = 0; j < breadth; ++j) {
      std::copy_n(from.data + (c + j) * from.stride + r, height, tile.begin() + j * width);
    }
    for (Index i = 0; i < height; ++i) {
      T* target = to.data + (r + i) * to.stride + c;
      for (Index j = 0; j < breadth; ++j) {
        const T entry = tile[static_cast<std::size_t>(j * width + i)];
        target[j] = add ? target[j] + entry : entry;
      }
    }
  };
  // The shorter side is the inner loop: what lies between two visits of a line is then short.
  if (columns >= rows) {
    for (Index c = 0; c < columns; c += width) {
      for (Index r = 0; r < rows; r += width) move_tile(r, c);
    }
  } else {
    for (Index r = 0; r < rows; r += width) {
      for (Index c = 0; c < columns; c += width) move_tile(r, c);
    }
  }
}

/// Some of the matrices of a batch, from number `first` on.
struct BatchPart {
  Index first;
  Index count;
};

/// Copies some matrices of a batch to memory, one after another.
template <class T>
void pack(const T* batch, const MatrixBatch& layout, const BatchPart& part, T* packed) {
  if (layout.count == 1) {
    std::copy_n(batch, layout.size(), packed);
    return;
  }
  transpose_into<T>(part.count, layout.size(), {batch + part.first, layout.count},
                    {packed, layout.size()});
}

/// Moves matrices from memory, one after another, to their places in a batch, or adds them to it.
template <class T>
void unpack(const T* packed, const MatrixBatch& layout, const BatchPart& part, T* batch, bool add) {
  transpose_into<T>(layout.size(), part.count, {packed, layout.size()},
                    {batch + part.first, layout.count}, add);
}

/// Memory from a pool, given back at the end of a scope.
template <class T>
class PoolMemory final {
 public:
  PoolMemory(record::BufferPool& pool, Index count)
      : pool_(pool),
        bytes_(static_cast<std::size_t>(count) * sizeof(T)),
        data_(static_cast<T*>(pool.take(bytes_))) {}

  ~PoolMemory() { pool_.give_back(data_, bytes_); }

  PoolMemory(const PoolMemory&) = delete;
  PoolMemory& operator=(const PoolMemory&) = delete;

  T* data() const { return data_; }

 private:
  record::BufferPool& pool_;
  std::size_t bytes_;
  T* data_;
};

/// The matrices of a batch one after another, to be read.
template <class T>
class PackedInput final {
 public:
  PackedInput(record::BufferPool& pool, const T* batch, const MatrixBatch& layout)
      : pool_(pool), layout_(layout), data_(batch) {
    if (layout.count <= 1) return;
    own_ = static_cast<T*>(pool.take(bytes()));
    pack(batch, layout, {0, layout.count}, own_);
    data_ = own_;
  }

  ~PackedInput() {
    if (own_ != nullptr) pool_.give_back(own_, bytes());
  }

  PackedInput(const PackedInput&) = delete;
  PackedInput& operator=(const PackedInput&) = delete;

  const T* operator[](Index k) const { return data_ + k * layout_.size(); }

 private:
  std::size_t bytes() const {
    return static_cast<std::size_t>(layout_.count * layout_.size()) * sizeof(T);
  }

  record::BufferPool& pool_;
  MatrixBatch layout_;
  const T* data_;
  T* own_ = nullptr;
};

/// Memory for the matrices of a batch one after another, to be written and then unpacked.
template <class T>
class PackedOutput final {
 public:
  PackedOutput(record::BufferPool& pool, T* batch, const MatrixBatch& layout)
      : pool_(pool), layout_(layout), batch_(batch), data_(batch) {
    if (layout.count > 1) data_ = static_cast<T*>(pool.take(bytes()));
  }

  ~PackedOutput() {
    if (data_ != batch_) pool_.give_back(data_, bytes());
  }

  PackedOutput(const PackedOutput&) = delete;
  PackedOutput& operator=(const PackedOutput&) = delete;

  T* operator[](Index k) const { return data_ + k * layout_.size(); }

  bool is_in_place() const { return data_ == batch_; }

  /// Takes over the numbers of a batch of this layout.
  void load(const T* batch) const {
    if (layout_.count > 0) pack(batch, layout_, {0, layout_.count}, data_);
  }

  /// Moves the matrices to their batch, or adds them to it.
  void unpack(bool add = false) const {
    if (!is_in_place()) kernels::unpack<T>(data_, layout_, {0, layout_.count}, batch_, add);
  }

 private:
  std::size_t bytes() const {
    return static_cast<std::size_t>(layout_.count * layout_.size()) * sizeof(T);
  }

  record::BufferPool& pool_;
  MatrixBatch layout_;
  T* batch_;
  T* data_;
};

/// What decompositions are not given: LAPACK may not return from such a matrix.
template <class T>
bool has_only_finite(const T* numbers, Index count) {
  return std::all_of(numbers, numbers + count, [](T x) { return std::isfinite(x); });
}

}  // namespace fjord::kernels
