/// The rows that flows are trained on.
#pragma once

#include <optional>

#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/large_table.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::apps::density {

/// The parts of a table in the standard numbers of its maps: to train on with rounded columns
/// smoothed, to score as they are.
template <class T>
class FlowRows final {
 public:
  /// `data` must outlive it.
  ///
  /// Errors:  std::invalid_argument, with the table's name, if a number does not fit T.
  FlowRows(const Data& data, const std::string& table, const RandomKey& random);
  FlowRows(const FlowRows&) = delete;
  FlowRows& operator=(const FlowRows&) = delete;

  const flows::RowSource<T>& training() const {
    return large_training_ ? static_cast<const flows::RowSource<T>&>(*large_training_) : training_;
  }

  const flows::RowSource<T>& validation() const { return validation_; }

  /// All rows, to train on.
  const flows::RowSource<T>& all() const {
    return large_all_ ? static_cast<const flows::RowSource<T>&>(*large_all_) : all_;
  }

 private:
  std::vector<std::uint32_t> every_row_;
  Tensor<T> smoothed_;
  Tensor<T> exact_;
  flows::TableRows<T> smoothed_rows_;
  flows::TableRows<T> exact_rows_;
  flows::ChosenRows<T> training_;
  flows::ChosenRows<T> validation_;
  flows::ChosenRows<T> all_;
  std::optional<LargeRows<T>> large_training_;
  std::optional<LargeRows<T>> large_all_;
};

extern template class FlowRows<float>;
extern template class FlowRows<double>;

}  // namespace fjord::apps::density
