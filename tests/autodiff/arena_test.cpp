#include "fjord/autodiff/record/arena.hpp"

#include <cstdint>
#include <cstring>
#include <set>

#include <doctest/doctest.h>

namespace fjord {

using namespace record;

namespace {

bool is_aligned(const void* memory, std::size_t align) {
  return reinterpret_cast<std::uintptr_t>(memory) % align == 0;
}

struct Piece {
  unsigned char* memory;
  std::size_t bytes;
  unsigned char mark;
};

// Pieces of many sizes, each filled with its own mark.
std::vector<Piece> fill(Arena& arena, std::size_t count) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bytes = i * i * 37 % 5000;
    auto* memory = static_cast<unsigned char*>(arena.allocate(bytes));
    const auto mark = static_cast<unsigned char>(i * 101 % 251);
    std::memset(memory, mark, bytes);
    pieces.push_back({memory, bytes, mark});
  }
  return pieces;
}

bool is_intact(const Piece& piece) {
  for (std::size_t i = 0; i < piece.bytes; ++i) {
    if (piece.memory[i] != piece.mark) return false;
  }
  return true;
}

TEST_CASE("arena: pieces keep their contents as it grows over many blocks") {
  Arena arena;
  const std::vector<Piece> pieces = fill(arena, 2000);  // about 5 MB, in blocks from 64 KiB on
  for (const Piece& piece : pieces) {
    REQUIRE(is_intact(piece));
    REQUIRE(is_aligned(piece.memory, Arena::alignment));
  }
  CHECK(arena.capacity() >= 4'000'000);
  CHECK(arena.capacity() < 20'000'000);
}

TEST_CASE("arena: smaller alignments are kept, and pack") {
  Arena arena;
  for (const std::size_t align : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
    static_cast<void>(arena.allocate(1, 1));
    CHECK(is_aligned(arena.allocate(3, align), align));
  }
  auto* a = static_cast<char*>(arena.allocate(4, 4));
  CHECK(static_cast<char*>(arena.allocate(4, 4)) == a + 4);
}

TEST_CASE("arena: rewinding gives the same memory again and keeps what is older") {
  Arena arena;
  const std::vector<Piece> older = fill(arena, 100);
  const Arena::Mark mark = arena.mark();
  const std::vector<Piece> first = fill(arena, 500);
  const std::size_t grown = arena.capacity();
  for (int round = 0; round < 3; ++round) {
    arena.rewind(mark);
    const std::vector<Piece> again = fill(arena, 500);
    for (std::size_t i = 0; i < again.size(); ++i) REQUIRE(again[i].memory == first[i].memory);
    CHECK(arena.capacity() == grown);
  }
  for (const Piece& piece : older) REQUIRE(is_intact(piece));
}

TEST_CASE("arena: one piece larger than every block is given, and kept for the next round") {
  Arena arena;
  const auto round = [&] {
    arena.rewind({});
    for (int i = 0; i < 300; ++i) static_cast<void>(arena.allocate(256));
    std::memset(arena.allocate(9'000'000), 1, 9'000'000);
    for (int i = 0; i < 300; ++i) static_cast<void>(arena.allocate(256));
  };
  round();
  const std::size_t grown = arena.capacity();
  for (int i = 0; i < 3; ++i) round();
  CHECK(arena.capacity() == grown);
}

TEST_CASE("buffer pool: a buffer given back is taken again, others never at the same time") {
  BufferPool pool;
  std::set<void*> held;
  for (const std::size_t bytes : {0UL, 1UL, 64UL, 65UL, 4096UL, 4097UL, 100'000UL, 5'000'000UL}) {
    for (int copy = 0; copy < 3; ++copy) {
      void* buffer = pool.take(bytes);
      std::memset(buffer, copy, bytes);
      CHECK(is_aligned(buffer, Arena::alignment));
      CHECK(held.insert(buffer).second);
    }
  }
  void* const once = pool.take(1000);
  pool.give_back(once, 1000);
  CHECK(pool.take(1000) == once);
}

TEST_CASE("buffer pool: its memory stays flat when buffers come and go") {
  BufferPool pool;
  const auto round = [&] {
    std::vector<std::pair<void*, std::size_t>> taken;
    for (std::size_t i = 0; i < 300; ++i)
      taken.push_back({pool.take(i * 131 % 9000), i * 131 % 9000});
    // Half of them in the order in which they were taken, the others from the last.
    for (std::size_t i = 0; i < 300; i += 2) pool.give_back(taken[i].first, taken[i].second);
    for (std::size_t i = 300; i-- > 0;) {
      if (i % 2 == 1) pool.give_back(taken[i].first, taken[i].second);
    }
  };
  round();
  const std::size_t grown = pool.capacity();
  for (int i = 0; i < 20; ++i) round();
  CHECK(pool.capacity() == grown);
}

}  // namespace
}  // namespace fjord
