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

}  // namespace

template <class T>
FlowRows<T>::FlowRows(const Data& data, const std::string& table, const RandomKey& random)
    : every_row_(every_row(data)),
      smoothed_(numbers<T>(smoothed_rows(data, random), data, table)),
      exact_(numbers<T>(standard_numbers(data.rows.values, data.maps), data, table)),
      smoothed_rows_(smoothed_, {}, data.rows.weights),
      exact_rows_(exact_, {}, data.rows.weights),
      training_(smoothed_rows_, data.split.training),
      validation_(exact_rows_, data.split.validation),
      all_(smoothed_rows_, every_row_) {}

template class FlowRows<float>;
template class FlowRows<double>;

}  // namespace fjord::apps::density
