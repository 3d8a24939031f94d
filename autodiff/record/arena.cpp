#include "fjord/autodiff/record/arena.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace fjord::record {
namespace {

constexpr std::size_t first_block = std::size_t{1} << 16;
// Blocks double up to this size, so that at most a few MiB of address space lie idle at the end.
constexpr std::size_t largest_step = std::size_t{1} << 22;

struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes, std::size_t fine_classes) {
  const std::size_t lines =
      std::max<std::size_t>(1, (bytes + Arena::alignment - 1) / Arena::alignment);
  if (lines <= fine_classes) return {lines - 1, lines * Arena::alignment};
  const std::size_t rounded = std::bit_ceil(lines);
  const auto doublings = static_cast<std::size_t>(std::countr_zero(rounded / fine_classes));
  return {fine_classes - 1 + doublings, rounded * Arena::alignment};
}

}  // namespace

void Arena::Free::operator()(std::byte* memory) const {
  ::operator delete(memory, std::align_val_t(alignment));
}

std::size_t Arena::capacity() const {
  std::size_t sum = 0;
  for (const Block& block : blocks_) sum += block.size;
  return sum;
}

void* Arena::allocate_in_next_block(std::size_t bytes) {
  std::size_t next = blocks_.empty() ? 0 : block_ + 1;
  // A kept block may be too small for this one allocation; it is passed over, not lost: a rewind
  // returns to it.
  while (next < blocks_.size() && blocks_[next].size < bytes) ++next;
  if (next == blocks_.size()) {
    const std::size_t grown = std::clamp(capacity(), first_block, largest_step);
    const std::size_t size = (std::max(grown, bytes) + alignment - 1) / alignment * alignment;
    auto* memory = static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment)));
    blocks_.push_back({std::unique_ptr<std::byte, Free>(memory), size, capacity()});
  }
  set(next, bytes);
  poison(blocks_[next].memory.get(), bytes);
  return blocks_[next].memory.get();
}

void* BufferPool::take(std::size_t bytes) {
  const SizeClass c = size_class(bytes, fine_classes);
  Link*& head = free_[c.index];
  if (head == nullptr) return arena_.allocate(c.bytes);
  Link* const buffer = head;
  head = buffer->next;
  poison(buffer, c.bytes);
  return buffer;
}

void BufferPool::give_back(void* buffer, std::size_t bytes) {
  Link*& head = free_[size_class(bytes, fine_classes).index];
  head = new (buffer) Link{head};
}

}  // namespace fjord::record
