/// Tables of which most rows stay in their files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fjord/apps/common/mapped_file.hpp"
#include "fjord/apps/density/column_map.hpp"
#include "fjord/autodiff/communicator.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::apps::density {

/// How much of a table is kept in memory, in numbers (rows times columns).
struct MemoryLimits {
  double whole = 1 << 24;     ///< tables of more than these are large: the others are read
  double training = 1 << 18;  ///< of a large one, training rows that all but the flows look at
  double held_out = 1 << 17;  ///< most validation rows of a large one, and as many test rows
};

/// The columns of a large table that are used, and the parts of its rows, by number from 0.
///
/// All rows that are not held out are for training; `sample` are some of them, chosen at random.
struct LargeTable {
  std::shared_ptr<const MappedFile> file;
  std::vector<Index> columns;  ///< with those that are given in front
  Index given = 0;
  std::vector<std::uint32_t> validation;
  std::vector<std::uint32_t> test;
  std::vector<std::uint32_t> sample;
  std::vector<std::uint32_t> held_out;  ///< validation and test rows, ascending
  std::vector<ColumnRange> ranges;      ///< of the columns, over all rows

  Index rows() const { return file->rows(); }

  Index training_rows() const { return rows() - static_cast<Index>(held_out.size()); }
};

/// Splits a table by the shares of two parts; where these would be more than the limits, the rest
/// is for training.
///
/// Errors:  std::invalid_argument if no row is left for training.
void split_large(LargeTable& table, double validation, double test, const MemoryLimits& limits,
                 const RandomKey& random);

/// Finds the columns' ranges. Every rank calls it, and reads a share of the rows.
///
/// Errors:  std::invalid_argument as MappedFile::read(); RankFailure on several ranks.
void find_ranges(LargeTable& table, const Communicator& ranks);

/// How the numbers of a large table become those that flows are trained on.
struct LargeUnits {
  std::vector<ColumnMap> maps;
  std::vector<double> roundings;  ///< as in Data
  RandomKey smoothing{0};
};

/// The rows of a large table that flows are trained on, read as they are needed, in the standard
/// numbers of the maps with rounded columns smoothed.
template <class T>
class LargeRows final : public flows::RowSource<T> {
 public:
  /// All rows, or those that are not held out. The table must outlive it.
  LargeRows(const LargeTable& table, LargeUnits units, bool is_all)
      : table_(table), units_(std::move(units)), is_all_(is_all) {}

  Index rows() const override { return is_all_ ? table_.rows() : table_.training_rows(); }

  Index dim() const override { return static_cast<Index>(table_.columns.size()) - table_.given; }

  Index given_width() const override { return table_.given; }

  Index block_rows() const override;

  /// Errors:  std::invalid_argument for a number beyond those of T.
  void read(std::span<const std::uint32_t> rows, T* values, T* given) const override;

 private:
  void smooth(std::span<const std::uint32_t> rows, Tensor<double>& values) const;

  const LargeTable& table_;
  LargeUnits units_;
  bool is_all_;
};

extern template class LargeRows<float>;
extern template class LargeRows<double>;

}  // namespace fjord::apps::density
