/// Memory that is handed out in sequence, rewound as a whole, and never given back before the end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace fjord::record {

#ifdef FJORD_POISON
/// Fills memory that is handed out with a pattern that is NaN to floats and doubles, and far
/// outside every range to integers, so that a test sees what is read before it is written.
inline void poison(void* memory, std::size_t bytes) {
  constexpr std::array<unsigned char, 4> pattern{0xa5, 0xa5, 0xf7, 0x7f};
  auto* const to = static_cast<unsigned char*>(memory);
  for (std::size_t i = 0; i < bytes; ++i) to[i] = pattern[i % pattern.size()];
}
#else
inline void poison(void*, std::size_t) {}
#endif

/// Bump allocator over a list of growing blocks; capacity, once grown, is kept.
class Arena final {
 public:
  /// Alignment of what `allocate` returns: a cache line, and the widest vector register.
  static constexpr std::size_t alignment = 64;

  /// Where the next allocation will be; everything handed out later ends when it is rewound to.
  struct Mark {
    std::size_t block = 0;
    std::size_t offset = 0;
  };

  /// Returns `bytes` of uninitialised memory, aligned to `align` (a power of two up to
  /// `alignment`).
  void* allocate(std::size_t bytes, std::size_t align = alignment) {
    const std::size_t padding = -reinterpret_cast<std::uintptr_t>(next_) & (align - 1);
    if (next_ == nullptr || padding + bytes > static_cast<std::size_t>(end_ - next_)) [[unlikely]]
      return allocate_in_next_block(bytes);
    std::byte* const memory = next_ + padding;
    next_ = memory + bytes;
    poison(memory, bytes);
    return memory;
  }

  Mark mark() const { return {block_, offset()}; }

  void rewind(Mark mark) {
    if (!blocks_.empty()) set(mark.block, mark.offset);
  }

  /// Bytes up to the mark, those that were passed over included.
  std::size_t used() const { return blocks_.empty() ? 0 : blocks_[block_].before + offset(); }

  /// Bytes of all blocks.
  std::size_t capacity() const;

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };

  struct Block {
    std::unique_ptr<std::byte, Free> memory;
    std::size_t size = 0;
    std::size_t before = 0;  // bytes of the blocks before it
  };

  std::size_t offset() const {
    return blocks_.empty() ? 0 : static_cast<std::size_t>(next_ - blocks_[block_].memory.get());
  }

  // Goes on at an offset of a block.
  void set(std::size_t block, std::size_t offset) {
    block_ = block;
    next_ = blocks_[block].memory.get() + offset;
    end_ = blocks_[block].memory.get() + blocks_[block].size;
  }

  void* allocate_in_next_block(std::size_t bytes);

  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  // What is left of the block; null while there is none.
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
};

/// Buffers that are taken and given back in any order; those given back are used again, hot in
/// cache.
class BufferPool final {
 public:
  void* take(std::size_t bytes);
  /// Gives back a buffer that was taken with the same number of bytes.
  void give_back(void* buffer, std::size_t bytes);

  /// Bytes that have been taken at once; capacity() counts those kept for more.
  std::size_t peak_bytes() const { return arena_.used(); }

  std::size_t capacity() const { return arena_.capacity(); }

 private:
  struct Link {
    Link* next;
  };

  // Classes of equal sizes: multiples of a line up to 4 KiB, then powers of two.
  static constexpr std::size_t fine_classes = 64;
  Arena arena_;
  std::array<Link*, fine_classes + 52> free_{};
};

}  // namespace fjord::record
