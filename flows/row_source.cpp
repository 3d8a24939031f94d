#include "fjord/flows/row_source.hpp"

#include <cmath>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

template <class T>
void gather(const TensorView<T>& table, std::span<const std::uint32_t> rows, T* to) {
  for (Index d = 0; d < table.shape()[1]; ++d) {
    for (const std::uint32_t row : rows) *to++ = table(row, d);
  }
}

}  // namespace

template <class T>
TableRows<T>::TableRows(const TensorView<T>& values, const TensorView<T>& given,
                        std::span<const double> weights)
    : values_(values), given_(given), weights_(weights) {
  require(values.shape().rank() == 2, "rows",
          [&] { return "a table [N, D] is needed, got shape " + to_string(values.shape()); });
  const bool has_given = given.data() != nullptr;
  require(!has_given || (given.shape().rank() == 2 && given.shape()[0] == rows()), "rows", [&] {
    return "what is given of " + std::to_string(rows()) + " rows must have shape [" +
           std::to_string(rows()) + ", G], got " + to_string(given.shape());
  });
  require(weights.empty() || static_cast<Index>(weights.size()) == rows(), "rows", [&] {
    return "a weight for each of " + std::to_string(rows()) + " rows is needed, got " +
           std::to_string(weights.size());
  });
  for (const double weight : weights) {
    require(weight > 0 && std::isfinite(weight), "rows", [&] {
      return "weights must be positive and finite, got " + ode::short_number(weight);
    });
  }
}

template <class T>
Index TableRows<T>::given_width() const {
  return given_.data() == nullptr ? 0 : given_.shape()[1];
}

template <class T>
void TableRows<T>::read(std::span<const std::uint32_t> rows, T* values, T* given) const {
  gather(values_, rows, values);
  if (given_width() > 0) gather(given_, rows, given);
}

template <class T>
double TableRows<T>::weight(std::uint32_t row) const {
  return weights_.empty() ? 1 : weights_[row];
}

template <class T>
ChosenRows<T>::ChosenRows(const RowSource<T>& source, std::span<const std::uint32_t> chosen)
    : source_(source), chosen_(chosen) {
  for (const std::uint32_t row : chosen) {
    require(row < source.rows(), "rows", [&] {
      return "there is no row " + std::to_string(row) + ": the source has " +
             std::to_string(source.rows());
    });
  }
}

template <class T>
void ChosenRows<T>::read(std::span<const std::uint32_t> rows, T* values, T* given) const {
  // Kept from call to call, so that a training step allocates nothing.
  thread_local std::vector<std::uint32_t> numbers;
  numbers.clear();
  for (const std::uint32_t row : rows) numbers.push_back(chosen_[row]);
  source_.read(numbers, values, given);
}

template class TableRows<float>;
template class TableRows<double>;
template class ChosenRows<float>;
template class ChosenRows<double>;

}  // namespace fjord::flows
