#include "fjord/apps/density/flow_rows.hpp"

#include <numeric>

#include "fjord/apps/common/table.hpp"

namespace fjord::apps::density {
namespace {

std::vector<std::uint32_t> every_row(const Data& data) {
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(data.rows.values.shape()[0]));
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

template <class T>
Tensor<T> numbers(const Tensor<double>& values, const Data& data, const std::string& table) {
  return values_as<T>(values, data.names, FileCheck("table", table));
}

template <class T>
TensorView<T> modelled(const Tensor<T>& rows, const Data& data) {
  return columns_view(rows, data.rows.given, rows.shape()[1]);
}

template <class T>
TensorView<T> given(const Tensor<T>& rows, const Data& data) {
  return data.rows.given == 0 ? TensorView<T>{} : columns_view(rows, 0, data.rows.given);
}

}  // namespace

template <class T>
FlowRows<T>::FlowRows(const Data& data, const std::string& table, const RandomKey& random)
    : every_row_(every_row(data)),
      smoothed_(numbers<T>(smoothed_rows(data, random), data, table)),
      exact_(numbers<T>(standard_numbers(data.rows.values, data.maps), data, table)),
      smoothed_rows_(modelled(smoothed_, data), given(smoothed_, data), data.rows.weights),
      exact_rows_(modelled(exact_, data), given(exact_, data), data.rows.weights),
      training_(smoothed_rows_, data.split.training),
      validation_(exact_rows_, data.split.validation),
      all_(smoothed_rows_, every_row_) {
  if (data.large == nullptr) return;
  const LargeUnits units{data.maps, data.roundings, random};
  large_training_.emplace(*data.large, units, false);
  large_all_.emplace(*data.large, units, true);
}

template class FlowRows<float>;
template class FlowRows<double>;

}  // namespace fjord::apps::density
