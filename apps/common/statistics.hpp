/// Means with their standard errors.
#pragma once

#include <optional>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

struct Statistics {
  double mean = 0;
  std::optional<double>
      standard_error;  ///< sample deviation (n - 1) / sqrt(n); none for one number
  Index outside = 0;   ///< numbers that were left out: log-densities of minus infinity
};

/// The statistics of negative log-densities. Entries of minus infinity are counted in `outside` and
/// left out of the mean, which is infinite if all entries are.
template <class T>
Statistics negated_statistics(const Tensor<T>& log_probs);

/// The same of numbers that come in pieces.
class RunningStatistics final {
 public:
  template <class T>
  void add_negated(const Tensor<T>& log_probs);

  /// All numbers, those that are left out among them.
  Index count() const { return count_ + outside_; }

  Statistics result() const;

 private:
  Index count_ = 0;
  Index outside_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // of the deviations from the mean
};

}  // namespace fjord::apps
