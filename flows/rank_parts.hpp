/// What ranks combine of a batch: gradients, and numbers for its rows.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/tree_sum.hpp"
#include "fjord/flows/solve_combination.hpp"

namespace fjord::flows {

/// The terms of a rank's shards in the sum of all.
template <class T>
class GradientParts final : public SolveCombination {
 public:
  /// `compute` begins the sum of so many shards anew, and pushes those of this rank.
  GradientParts(int rank, TreeSum<T>& sum, std::size_t shards, std::function<void()> compute);

  /// Makes the sum that of all ranks, from their combined bytes; returns the lowest rank whose
  /// terms are not finite, if there is one.
  std::optional<int> take(std::string_view all);

 private:
  void begin_part() override;
  void add_part(std::string_view following) override;
  void append_part(std::string& message) const override;

  int rank_;
  TreeSum<T>& sum_;
  std::size_t shards_;
  std::function<void()> compute_;
  int bad_rank_ = -1;  // none
};

/// Some rows of results.
struct RowBlock {
  Index first = 0;
  Index rows = 0;
  double evaluations = 0;  ///< sum over the rows
};

/// The results of a rank's rows on their way to all ranks.
template <class T>
class RowParts final : public SolveCombination {
 public:
  /// `compute` writes the block's rows into `values`, [rows] or [rows, D] of all ranks, and returns
  /// the sum of their evaluations.
  RowParts(int rank, const RowBlock& own, Tensor<T>& values, std::function<double()> compute);

  /// Writes the rows of all ranks, from their combined bytes; returns the sum of their evaluations.
  double take(std::string_view all) const;

 private:
  void begin_part() override;
  void add_part(std::string_view following) override;
  void append_part(std::string& message) const override;

  Index columns() const;
  T* column(const RowBlock& block, Index d) const;

  RowBlock own_;
  Tensor<T>& values_;
  std::function<double()> compute_;
  std::string following_;
};

extern template class GradientParts<float>;
extern template class GradientParts<double>;
extern template class RowParts<float>;
extern template class RowParts<double>;

}  // namespace fjord::flows
