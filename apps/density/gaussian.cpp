#include "fjord/apps/density/gaussian.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {

Gaussian::Gaussian(std::vector<double> mean, std::vector<double> covariance)
    : mean_(std::move(mean)), factor_(std::move(covariance)) {
  const std::size_t n = mean_.size();
  double log_det = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = factor_[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= factor_[i * n + k] * factor_[j * n + k];
      if (j < i) {
        factor_[i * n + j] = sum / factor_[j * n + j];
        continue;
      }
      if (!(sum > 0)) fail_numerically("gaussian", "a covariance is not positive definite");
      factor_[i * n + i] = std::sqrt(sum);
      log_det += std::log(factor_[i * n + i]);
    }
  }
  log_normaliser_ = -log_det - 0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi);
}

double Gaussian::log_density(std::span<const double> row, std::span<double> scratch) const {
  const std::size_t n = mean_.size();
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double z = row[i] - mean_[i];
    for (std::size_t k = 0; k < i; ++k) z -= factor_[i * n + k] * scratch[k];
    scratch[i] = z / factor_[i * n + i];
    squares += scratch[i] * scratch[i];
  }
  return log_normaliser_ - 0.5 * squares;
}

Gaussian gaussian_of(std::span<const double> rows, Index dim, std::span<const double> weights,
                     double ridge) {
  const auto n = static_cast<std::size_t>(dim);
  double total = 0;
  std::vector<double> mean(n, 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    total += weights[i];
    for (std::size_t d = 0; d < n; ++d) mean[d] += weights[i] * rows[i * n + d];
  }
  for (double& m : mean) m /= total;
  std::vector<double> covariance(n * n, 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    for (std::size_t a = 0; a < n; ++a) {
      const double left = weights[i] * (rows[i * n + a] - mean[a]);
      for (std::size_t b = 0; b <= a; ++b)
        covariance[a * n + b] += left * (rows[i * n + b] - mean[b]);
    }
  }
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b <= a; ++b) covariance[a * n + b] /= total;
    covariance[a * n + a] += ridge;
  }
  return {std::move(mean), std::move(covariance)};
}

}  // namespace fjord::apps::density
