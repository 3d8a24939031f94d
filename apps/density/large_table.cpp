#include "fjord/apps/density/large_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/keyed_permutation.hpp"

namespace fjord::apps::density {
namespace {

constexpr std::size_t rows_at_once = 4096;

Index rows_of_limit(double numbers, std::size_t columns) {
  constexpr Index least = 1000;
  return std::max(least, static_cast<Index>(numbers / static_cast<double>(columns)));
}

// The smallest and the largest number of each column in a rank's share of the rows, on their way to
// all ranks.
class RangeParts final : public Combination {
 public:
  RangeParts(const LargeTable& table, const Communicator& ranks) : table_(table), ranks_(ranks) {}

  void begin() override {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    ranges_.assign(table_.columns.size(), {infinity, -infinity});
    const Share own = share_of(static_cast<std::size_t>(table_.rows()), ranks_);
    std::vector<double> values(rows_at_once * table_.columns.size());
    for (std::size_t first = own.first; first < own.last; first += rows_at_once) {
      std::vector<std::uint32_t> rows(std::min(rows_at_once, own.last - first));
      std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
      table_.file->read(rows, table_.columns, values.data());
      for (std::size_t k = 0; k < ranges_.size(); ++k)
        widen(k, std::span(values).subspan(k * rows.size(), rows.size()));
    }
  }

  void add(std::string_view following) override {
    for (std::size_t k = 0; k < ranges_.size(); ++k) {
      std::array<double, 2> ends{};
      std::memcpy(ends.data(), following.data() + k * sizeof(ends), sizeof(ends));
      widen(k, ends);
    }
  }

  void write(std::string& message) const override {
    for (const ColumnRange& range : ranges_) {
      const std::array<double, 2> ends{range.low, range.high};
      message.append(reinterpret_cast<const char*>(ends.data()), sizeof(ends));
    }
  }

  const std::vector<ColumnRange>& ranges() const { return ranges_; }

 private:
  void widen(std::size_t column, std::span<const double> values) {
    ColumnRange& range = ranges_[column];
    for (const double value : values) {
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }

  const LargeTable& table_;
  const Communicator& ranks_;
  std::vector<ColumnRange> ranges_;
};

// Of the ascending rows that are held out, how many are before row j of the others.
std::uint32_t held_out_before(const std::vector<std::uint32_t>& held_out, std::uint32_t j) {
  std::uint32_t low = 0;
  auto high = static_cast<std::uint32_t>(held_out.size());
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (held_out[middle] - middle <= j) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

void split_large(LargeTable& table, double validation, double test, const MemoryLimits& limits,
                 const RandomKey& random) {
  const auto part_of = [&](double share) {
    return std::min(std::max<Index>(1, std::llround(share * static_cast<double>(table.rows()))),
                    rows_of_limit(limits.held_out, table.columns.size()));
  };
  const Index first = part_of(validation);
  const Index second = first + part_of(test);
  require(second < table.rows(), "split", "a row must be left for training");
  const Index end =
      std::min(table.rows(), second + rows_of_limit(limits.training, table.columns.size()));
  const KeyedPermutation order(static_cast<std::uint64_t>(table.rows()), random);
  const auto rows_at = [&](Index begin, Index last) {
    std::vector<std::uint32_t> rows;
    for (Index i = begin; i < last; ++i)
      rows.push_back(static_cast<std::uint32_t>(order.at(static_cast<std::uint64_t>(i))));
    std::ranges::sort(rows);  // as they are stored
    return rows;
  };
  table.validation = rows_at(0, first);
  table.test = rows_at(first, second);
  table.sample = rows_at(second, end);
  table.held_out.clear();
  std::ranges::merge(table.validation, table.test, std::back_inserter(table.held_out));
}

void find_ranges(LargeTable& table, const Communicator& ranks) {
  RangeParts parts(table, ranks);
  if (ranks.size() == 1) {
    parts.begin();
    table.ranges = parts.ranges();
    return;
  }
  std::string message;
  const std::string_view all = combine(ranks, parts, message);
  RangeParts result = parts;
  result.add(all);
  table.ranges = result.ranges();
}

template <class T>
Index LargeRows<T>::block_rows() const {
  // As much as disks give at once.
  constexpr std::size_t block_bytes = std::size_t{1} << 16;
  return static_cast<Index>(
      std::max<std::size_t>(1, block_bytes / table_.file->table().row_bytes()));
}

template <class T>
void LargeRows<T>::read(std::span<const std::uint32_t> rows, T* values, T* given) const {
  std::vector<std::uint32_t> places(rows.begin(), rows.end());
  if (!is_all_) {
    for (std::uint32_t& place : places) place += held_out_before(table_.held_out, place);
  }
  const auto columns = static_cast<Index>(table_.columns.size());
  Tensor<double> exact = Tensor<double>::zeros({static_cast<Index>(rows.size()), columns});
  table_.file->read(places, table_.columns, exact.data());
  smooth(places, exact);
  const Tensor<double> standard = standard_numbers(exact, units_.maps);
  const std::size_t given_numbers = rows.size() * static_cast<std::size_t>(table_.given);
  for (std::size_t i = 0; i < standard.storage().size(); ++i) {
    const T number = static_cast<T>(standard.storage()[i]);
    if (!std::isfinite(number)) [[unlikely]]
      table_.file->check().fail(
          array_fault(places[i % rows.size()] + std::size_t{1},
                      static_cast<std::size_t>(table_.columns[i / rows.size()]) + 1,
                      table_.file->names(), standard.storage()[i]));
    (i < given_numbers ? given[i] : values[i - given_numbers]) = number;
  }
}

template <class T>
void LargeRows<T>::smooth(std::span<const std::uint32_t> rows, Tensor<double>& values) const {
  for (std::size_t k = 0; k < units_.roundings.size(); ++k) {
    if (units_.roundings[k] == 0) continue;
    const RandomKey key = units_.smoothing.fold(k);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double draw = 0;
      key.uniform(std::span<double>(&draw, 1), rows[i]);
      values(static_cast<Index>(i), static_cast<Index>(k)) += units_.roundings[k] * (draw - 0.5);
    }
  }
}

template class LargeRows<float>;
template class LargeRows<double>;

}  // namespace fjord::apps::density
