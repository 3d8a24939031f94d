#include "fjord/apps/density/gaussian.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

struct Moments {
  std::vector<double> mean;
  std::vector<double> covariance;  // row by row, on and below the diagonal
};

Moments moments_of(std::span<const double> rows, std::size_t n, std::span<const double> weights) {
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
  for (double& c : covariance) c /= total;
  return {std::move(mean), std::move(covariance)};
}

// The sum over pairs of columns of the variances of their covariance, over that of its squares.
double shrinkage_of(std::span<const double> rows, const Moments& moments,
                    std::span<const double> weights) {
  const std::size_t n = moments.mean.size();
  double total = 0;
  double squares = 0;
  for (const double weight : weights) {
    total += weight;
    squares += weight * weight;
  }
  double variances = 0;
  double covariances = 0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const double covariance = moments.covariance[a * n + b];
      double spread = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const double product =
            (rows[i * n + a] - moments.mean[a]) * (rows[i * n + b] - moments.mean[b]);
        spread += weights[i] * (product - covariance) * (product - covariance);
      }
      variances += spread / total * squares / (total * total);
      covariances += covariance * covariance;
    }
  }
  return covariances > 0 ? std::min(1.0, variances / covariances) : 1.0;
}

Gaussian with_ridge(Moments moments, double ridge) {
  const std::size_t n = moments.mean.size();
  for (std::size_t a = 0; a < n; ++a) moments.covariance[a * n + a] += ridge;
  return {std::move(moments.mean), std::move(moments.covariance)};
}

}  // namespace

Gaussian::Gaussian(std::vector<double> mean, std::vector<double> covariance)
    : mean_(std::move(mean)), factor_(std::move(covariance)) {
  const std::size_t n = mean_.size();
  log_normalisers_.push_back(0);
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
      log_normalisers_.push_back(log_normalisers_.back() - std::log(factor_[i * n + i]) -
                                 0.5 * std::log(2 * std::numbers::pi));
    }
  }
}

void Gaussian::log_densities(const RowBlock& block, std::span<double> result) const {
  const std::size_t n = mean_.size();
  const std::size_t rows = block.rows;
  std::vector<double> scaled(block.columns * rows);
  std::ranges::fill(result, log_normalisers_[block.columns]);
  for (std::size_t i = 0; i < block.columns; ++i) {
    double* z = scaled.data() + i * rows;
    const double* numbers = block.first + i * block.stride;
    for (std::size_t r = 0; r < rows; ++r) z[r] = numbers[r] - mean_[i];
    for (std::size_t k = 0; k < i; ++k) {
      const double factor = factor_[i * n + k];
      const double* other = scaled.data() + k * rows;
      for (std::size_t r = 0; r < rows; ++r) z[r] -= factor * other[r];
    }
    const double inverse = 1 / factor_[i * n + i];
    for (std::size_t r = 0; r < rows; ++r) {
      z[r] *= inverse;
      result[r] -= 0.5 * z[r] * z[r];
    }
  }
}

Gaussian gaussian_of(std::span<const double> rows, Index dim, std::span<const double> weights,
                     double ridge) {
  return with_ridge(moments_of(rows, static_cast<std::size_t>(dim), weights), ridge);
}

Gaussian shrunk_gaussian_of(std::span<const double> rows, Index dim,
                            std::span<const double> weights, double ridge) {
  const auto n = static_cast<std::size_t>(dim);
  Moments moments = moments_of(rows, n, weights);
  const double kept = 1 - shrinkage_of(rows, moments, weights);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < a; ++b) moments.covariance[a * n + b] *= kept;
  return with_ridge(std::move(moments), ridge);
}

}  // namespace fjord::apps::density
