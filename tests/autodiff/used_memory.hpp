/// Tapes whose memory was used before, so that a test sees what is read before it is written.
#pragma once

#include <algorithm>
#include <vector>

#include "fjord/autodiff/record/sweep_memory.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::test {

/// Fills the memory that the tape will hand out next with a number: that of values, and a few
/// buffers of each size up to 512 bytes of those that sweeps take.
template <class T>
void use_memory(Tape<T>& tape, T number) {
  constexpr Index values = 1 << 11;
  constexpr std::size_t line = 64;
  constexpr std::size_t buffers = 8;
  const typename Tape<T>::Mark mark = tape.mark();
  std::fill_n(tape.new_values(values), values, number);
  tape.rewind(mark);
  record::BufferPool& pool = tape.sweep_memory().pool;
  for (std::size_t bytes = line; bytes <= 8 * line; bytes += line) {
    std::vector<void*> taken;
    for (std::size_t i = 0; i < buffers; ++i) {
      taken.push_back(pool.take(bytes));
      std::fill_n(static_cast<T*>(taken.back()), bytes / sizeof(T), number);
    }
    for (void* const buffer : taken) pool.give_back(buffer, bytes);
  }
}

}  // namespace fjord::test
