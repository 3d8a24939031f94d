/// Loops over rows that are kept column by column, and sums over them.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "fjord/apps/density/gaussian.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/workers.hpp"

namespace fjord::apps::density {

/// Calls f(first row, block) for all rows [N, D] in blocks, tasks of the workers.
template <class F>
void for_row_blocks(const Tensor<double>& rows, Workers& workers, F f) {
  constexpr std::size_t most = 256;
  const auto count = static_cast<std::size_t>(rows.shape()[0]);
  const auto columns = static_cast<std::size_t>(rows.shape()[1]);
  workers.run((count + most - 1) / most, [&](int, std::size_t task) {
    const std::size_t first = task * most;
    f(first,
      RowBlock{rows.storage().data() + first, count, std::min(most, count - first), columns});
  });
}

inline double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

inline double weighted_mean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
  return sum / sum_of(weights);
}

/// e^x, and 0 where that is too little to count beside 1, which saves most of the time where
/// kernels or parts are far apart.
inline double exp_beside_one(double x) {
  constexpr double least = -45;
  return x < least ? 0 : std::exp(x);
}

/// log(sum of e^values).
inline double log_sum_exp(std::span<const double> values) {
  const double most = *std::ranges::max_element(values);
  if (!std::isfinite(most)) return most;
  double sum = 0;
  for (const double value : values) sum += exp_beside_one(value - most);
  return most + std::log(sum);
}

}  // namespace fjord::apps::density
