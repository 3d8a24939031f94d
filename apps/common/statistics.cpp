#include "fjord/apps/common/statistics.hpp"

#include <cmath>

namespace fjord::apps {

template <class T>
Statistics negated_statistics(const Tensor<T>& log_probs) {
  const auto count = static_cast<double>(log_probs.size());
  double sum = 0;
  for (const T value : log_probs.storage()) sum -= static_cast<double>(value);
  Statistics result;
  result.mean = sum / count;
  if (log_probs.size() < 2) return result;
  double squares = 0;
  for (const T value : log_probs.storage()) {
    const double deviation = -static_cast<double>(value) - result.mean;
    squares += deviation * deviation;
  }
  result.standard_error = std::sqrt(squares / (count - 1) / count);
  return result;
}

template Statistics negated_statistics(const Tensor<float>&);
template Statistics negated_statistics(const Tensor<double>&);

}  // namespace fjord::apps
