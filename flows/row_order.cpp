#include "fjord/flows/row_order.hpp"

#include <algorithm>

namespace fjord::flows {
namespace {

// Keys of an order.
constexpr std::uint64_t blocks_use = 0;
constexpr std::uint64_t groups_use = 1;

}  // namespace

RowOrder::RowOrder(const RowLayout& layout, const RandomKey& key) : layout_(layout), key_(key) {
  if (layout.block == 0) {
    table_ = key.permutation(static_cast<std::uint32_t>(layout.rows));
    return;
  }
  const auto rows = static_cast<std::uint64_t>(layout.rows);
  const auto block = static_cast<std::uint64_t>(layout.block);
  blocks_ = (rows + block - 1) / block;
  missing_ = blocks_ * block - rows;
  block_order_.emplace(blocks_, key.fold(blocks_use));
  short_slot_ = block_order_->place_of(blocks_ - 1);
}

std::uint64_t RowOrder::begin_of(std::uint64_t slot) const {
  const std::uint64_t begin = slot * static_cast<std::uint64_t>(layout_.block);
  return slot > short_slot_ ? begin - missing_ : begin;
}

std::uint64_t RowOrder::slot_of(std::uint64_t place) const {
  const bool is_behind = place >= begin_of(short_slot_ + 1);
  return (is_behind ? place + missing_ : place) / static_cast<std::uint64_t>(layout_.block);
}

std::uint64_t RowOrder::in_run(std::uint64_t place) const {
  const auto batch = static_cast<std::uint64_t>(layout_.batch);
  const auto shard = static_cast<std::uint64_t>(layout_.shard);
  const std::uint64_t steps = static_cast<std::uint64_t>(layout_.rows) / batch;
  const std::uint64_t step = place / batch;
  if (step >= steps) return place;  // the last step takes what is left
  const std::uint64_t first = place % batch / shard * shard;
  const std::uint64_t width = std::min(shard, batch - first);
  return first * steps + step * width + (place % batch - first);
}

void RowOrder::read(Index first, std::span<std::uint32_t> rows) const {
  if (layout_.block == 0) {
    std::ranges::copy_n(table_.begin() + first, static_cast<std::ptrdiff_t>(rows.size()),
                        rows.begin());
    return;
  }
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // of the group that `within` shuffles
  std::optional<KeyedPermutation> within;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint64_t place = in_run(static_cast<std::uint64_t>(first) + i);
    if (place < begin || place >= end) {
      const std::uint64_t group = slot_of(place) / blocks_of_group;
      begin = begin_of(group * blocks_of_group);
      end = begin_of(std::min((group + 1) * blocks_of_group, blocks_));
      within.emplace(end - begin, key_.fold(groups_use).fold(group));
    }
    const std::uint64_t shuffled = begin + within->at(place - begin);
    const std::uint64_t slot = slot_of(shuffled);
    rows[i] = static_cast<std::uint32_t>(block_order_->at(slot) *
                                             static_cast<std::uint64_t>(layout_.block) +
                                         (shuffled - begin_of(slot)));
  }
}

}  // namespace fjord::flows
