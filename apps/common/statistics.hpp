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

/// Of the negatives of the numbers: of negative log-likelihoods from log-densities. Rows outside of
/// a model's support are counted apart; the mean is infinite if there are no others.
template <class T>
Statistics negated_statistics(const Tensor<T>& log_probs);

}  // namespace fjord::apps
