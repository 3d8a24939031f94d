/// Norms of errors, each of one row.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "fjord/ode/options.hpp"

namespace fjord::ode {

/// Numbers for each row of vectors [rows, ...] in column-major memory.
template <class T>
class RowNorms final {
 public:
  RowNorms(const SolveOptions& options, std::size_t rows, std::size_t columns)
      : options_(options), rows_(rows), columns_(columns) {}

  /// Of a sum of weighted vectors / (atol + rtol max(|y|, |y_next|)).
  std::vector<double> of(std::span<const double> weights, std::span<const T* const> vectors,
                         const T* y, const T* y_next) const {
    const T rtol = static_cast<T>(options_.rtol);
    const T atol = static_cast<T>(options_.atol);
    const bool is_maximum = options_.norm == ErrorNorm::maximum;
    std::vector<double> norms(rows_);
    std::vector<T> sums(rows_);
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::size_t at = column * rows_;
      std::fill(sums.begin(), sums.end(), T(0));
      for (std::size_t j = 0; j < weights.size(); ++j) {
        if (weights[j] == 0) continue;
        const T weight = static_cast<T>(weights[j]);
        for (std::size_t i = 0; i < rows_; ++i) sums[i] += weight * vectors[j][at + i];
      }
      for (std::size_t i = 0; i < rows_; ++i) {
        const T after = std::abs(y_next[at + i]);
        const T allowed = atol + rtol * std::max(std::abs(y[at + i]), after);
        // A comparison with NaN is false, so a NaN state is seen by a term of its own.
        const auto ratio = static_cast<double>(std::abs(sums[i] / allowed) + (after - after));
        if (!is_maximum) {
          norms[i] += ratio * ratio / static_cast<double>(columns_);
        } else if (!(ratio <= norms[i])) {
          norms[i] = std::isnan(norms[i]) ? norms[i] : ratio;
        }
      }
    }
    if (!is_maximum) {
      for (double& norm : norms) norm = std::sqrt(norm);
    }
    return norms;
  }

 private:
  const SolveOptions& options_;
  std::size_t rows_;
  std::size_t columns_;
};

}  // namespace fjord::ode
