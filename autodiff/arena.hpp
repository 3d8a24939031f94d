/// Memory that is handed out in sequence, rewound as a whole, and never given back before the end.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace fjord {

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
    const std::size_t begin = (mark_.offset + align - 1) & ~(align - 1);
    if (mark_.block < blocks_.size() && begin + bytes <= blocks_[mark_.block].size) [[likely]] {
      mark_.offset = begin + bytes;
      return blocks_[mark_.block].memory.get() + begin;
    }
    return allocate_in_next_block(bytes);
  }

  Mark mark() const { return mark_; }

  void rewind(Mark mark) { mark_ = mark; }

  /// Bytes up to the mark, those that were passed over included.
  std::size_t used() const {
    return blocks_.empty() ? 0 : blocks_[mark_.block].before + mark_.offset;
  }

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

  void* allocate_in_next_block(std::size_t bytes);

  std::vector<Block> blocks_;
  Mark mark_;
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

}  // namespace fjord
