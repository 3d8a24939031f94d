/// Rows that models are trained on and scored with.
#pragma once

#include <cstdint>
#include <span>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::flows {

/// N rows of D numbers, each with G numbers that are given and a weight.
template <class T>
class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual Index rows() const = 0;  ///< N
  virtual Index dim() const = 0;   ///< D

  /// G.
  virtual Index given_width() const { return 0; }

  /// Writes some rows, and what is given of them, column by column.
  ///
  /// Shapes:  values [rows.size(), D], given [rows.size(), G], both column-major.
  virtual void read(std::span<const std::uint32_t> rows, T* values, T* given) const = 0;

  /// Rows that are stored together, and best read at about the same time: an epoch's order then
  /// keeps blocks of so many together (RowOrder). 0 if any order is as good.
  virtual Index block_rows() const { return 0; }

  /// How much a row counts in a loss, > 0.
  virtual double weight(std::uint32_t /*row*/) const { return 1; }

 protected:
  RowSource() = default;
  RowSource(const RowSource&) = default;
  RowSource& operator=(const RowSource&) = default;
};

/// The rows of a table in memory.
///
/// Note:    It views the numbers, which must outlive it.
template <class T>
class TableRows final : public RowSource<T> {
 public:
  /// Shapes:  values [N, D]; given [N, G], or without numbers; weights [N], or empty for 1.
  /// Errors:  std::invalid_argument if the shapes do not match, or a weight is not positive and
  ///          finite.
  explicit TableRows(const TensorView<T>& values, const TensorView<T>& given = {},
                     std::span<const double> weights = {});

  Index rows() const override { return values_.shape()[0]; }

  Index dim() const override { return values_.shape()[1]; }

  Index given_width() const override;
  void read(std::span<const std::uint32_t> rows, T* values, T* given) const override;
  double weight(std::uint32_t row) const override;

 private:
  TensorView<T> values_;
  TensorView<T> given_;
  std::span<const double> weights_;
};

/// Some rows of another source, in an order of their own: a part of a split.
///
/// Note:    It refers to the source and the numbers of rows, which must outlive it.
template <class T>
class ChosenRows final : public RowSource<T> {
 public:
  /// Errors:  std::invalid_argument if the source does not have a row.
  ChosenRows(const RowSource<T>& source, std::span<const std::uint32_t> chosen);

  Index rows() const override { return static_cast<Index>(chosen_.size()); }

  Index dim() const override { return source_.dim(); }

  Index given_width() const override { return source_.given_width(); }

  void read(std::span<const std::uint32_t> rows, T* values, T* given) const override;

  double weight(std::uint32_t row) const override { return source_.weight(chosen_[row]); }

 private:
  const RowSource<T>& source_;
  std::span<const std::uint32_t> chosen_;
};

extern template class TableRows<float>;
extern template class TableRows<double>;
extern template class ChosenRows<float>;
extern template class ChosenRows<double>;

}  // namespace fjord::flows
