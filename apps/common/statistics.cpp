#include "fjord/apps/common/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fjord::apps {

template <class T>
Statistics negated_statistics(const Tensor<T>& log_probs) {
  const auto is_outside = [](T value) { return value == -std::numeric_limits<T>::infinity(); };
  Statistics result;
  result.outside = std::ranges::count_if(log_probs.storage(), is_outside);
  const auto count = static_cast<double>(log_probs.size() - result.outside);
  double sum = 0;
  for (const T value : log_probs.storage())
    sum -= is_outside(value) ? 0 : static_cast<double>(value);
  result.mean = count > 0 ? sum / count : HUGE_VAL;
  if (count < 2) return result;
  double squares = 0;
  for (const T value : log_probs.storage()) {
    if (is_outside(value)) continue;
    const double deviation = -static_cast<double>(value) - result.mean;
    squares += deviation * deviation;
  }
  result.standard_error = std::sqrt(squares / (count - 1) / count);
  return result;
}

template Statistics negated_statistics(const Tensor<float>&);
template Statistics negated_statistics(const Tensor<double>&);

}  // namespace fjord::apps
