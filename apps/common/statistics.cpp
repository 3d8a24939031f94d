#include "fjord/apps/common/statistics.hpp"

#include <cmath>
#include <limits>

namespace fjord::apps {

// Source: B. P. Welford, Note on a method for calculating corrected sums of squares and products,
//         Technometrics 4, 1962.
template <class T>
void RunningStatistics::add_negated(const Tensor<T>& log_probs) {
  for (const T log_prob : log_probs.storage()) {
    if (log_prob == -std::numeric_limits<T>::infinity()) {
      ++outside_;
      continue;
    }
    const double value = -static_cast<double>(log_prob);
    const double deviation = value - mean_;
    mean_ += deviation / static_cast<double>(++count_);
    squares_ += deviation * (value - mean_);
  }
}

Statistics RunningStatistics::result() const {
  if (count_ == 0) return {std::numeric_limits<double>::infinity(), {}, outside_};
  const auto count = static_cast<double>(count_);
  Statistics result{mean_, {}, outside_};
  if (count_ > 1) result.standard_error = std::sqrt(squares_ / (count - 1) / count);
  return result;
}

template <class T>
Statistics negated_statistics(const Tensor<T>& log_probs) {
  RunningStatistics statistics;
  statistics.add_negated(log_probs);
  return statistics.result();
}

#define FJORD_INSTANTIATE(T)                                      \
  template void RunningStatistics::add_negated(const Tensor<T>&); \
  template Statistics negated_statistics(const Tensor<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::apps
