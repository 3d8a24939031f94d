/// The order in which an epoch visits rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fjord/autodiff/keyed_permutation.hpp"
#include "fjord/autodiff/shape.hpp"

namespace fjord::flows {

/// How rows are stored, and taken in steps.
struct RowLayout {
  Index rows = 0;
  Index block = 0;  ///< rows that are read together; 0: the order is free
  Index batch = 1;  ///< rows of a step
  Index shard = 1;  ///< rows of a shard
};

/// A random order of all rows.
///
/// Where it is free, it is a uniform permutation, kept as a table. Otherwise it is computed row by
/// row, without one: blocks are shuffled, then the rows within groups of a few blocks. The order
/// thus made is cut into as many runs as a step has shards, and a shard takes its rows from its own
/// run, so that a process reads the groups of its shards only, each once an epoch.
class RowOrder final {
 public:
  RowOrder() = default;
  RowOrder(const RowLayout& layout, const RandomKey& key);

  /// The rows at some places: `first` and those after it.
  void read(Index first, std::span<std::uint32_t> rows) const;

 private:
  static constexpr std::uint64_t blocks_of_group = 4;

  // The place among the shuffled rows of a place in the epoch.
  std::uint64_t in_run(std::uint64_t place) const;
  // Where the block at a slot of the shuffled blocks begins, and the slot of a place: one block is
  // shorter than the others.
  std::uint64_t begin_of(std::uint64_t slot) const;
  std::uint64_t slot_of(std::uint64_t place) const;

  std::vector<std::uint32_t> table_;
  RowLayout layout_;
  RandomKey key_{0};
  std::uint64_t blocks_ = 0;
  std::uint64_t missing_ = 0;     // rows of the last block
  std::uint64_t short_slot_ = 0;  // where it is
  std::optional<KeyedPermutation> block_order_;
};

}  // namespace fjord::flows
