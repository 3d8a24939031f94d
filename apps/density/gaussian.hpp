/// Normal distributions with full covariances.
#pragma once

#include <span>
#include <vector>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps::density {

/// Rows of a table that is kept column by column: number d of row i is first[d * stride + i].
struct RowBlock {
  const double* first = nullptr;
  std::size_t stride = 0;  ///< rows of the table
  std::size_t rows = 0;    ///< those of the block, > 0
  std::size_t columns = 0;
};

/// N(mean, L L^T), by the Cholesky factor L of its covariance.
class Gaussian final {
 public:
  /// Takes the mean [D] and the covariance [D, D].
  ///
  /// Errors:  NumericalError if the covariance is not positive definite.
  Gaussian(std::vector<double> mean, std::vector<double> covariance);

  const std::vector<double>& mean() const { return mean_; }

  /// The entry of L in this row and this column, which is not above the diagonal.
  double factor(std::size_t row, std::size_t column) const {
    return factor_[row * mean_.size() + column];
  }

  /// The log-density of each row of a block, or of the first numbers of each if it has fewer
  /// columns than D: result [rows].
  void log_densities(const RowBlock& block, std::span<double> result) const;

 private:
  std::vector<double> mean_;
  std::vector<double> factor_;           // L, row by row
  std::vector<double> log_normalisers_;  // of the first 0, 1, ..., D numbers
};

/// The weighted mean and covariance (over the sum of the weights) of rows, with `ridge` added to
/// the diagonal.
///
/// Shapes:  rows [N, D], row-major; weights [N], >= 0, not all 0.
Gaussian gaussian_of(std::span<const double> rows, Index dim, std::span<const double> weights,
                     double ridge);

/// The same with the covariances off the diagonal made smaller by the factor that is best for few
/// rows.
///
/// Source:  Schaefer & Strimmer, A shrinkage approach to large-scale covariance matrix estimation,
///          Stat. Appl. Genet. Mol. Biol. 4, 2005, target D, for standardised columns.
Gaussian shrunk_gaussian_of(std::span<const double> rows, Index dim,
                            std::span<const double> weights, double ridge);

}  // namespace fjord::apps::density
