#include "fjord/nn/spectral_norm.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
namespace {

constexpr int squarings = 6;
constexpr double order = 256;  // 2 of the first product, doubled by each squaring and at the end

// A power of two near the largest entry, to divide by without rounding; 1 for zeros.
template <class T>
T power_near_largest(const Var<T>& matrix) {
  T largest = 0;
  const std::span entries(matrix.value().data(), static_cast<std::size_t>(matrix.shape().size()));
  for (const T entry : entries) largest = std::max(largest, std::abs(entry));
  return largest > 0 && std::isfinite(largest) ? std::exp2(std::floor(std::log2(largest))) : T(1);
}

// The logarithm of the bound. Each power of the matrix is scaled, so that the next one stays in
// the range of numbers; the scales are constants that leave no trace in the derivatives.
template <class T>
Var<T> log_bound(const Var<T>& weight) {
  const Shape shape = weight.shape();
  T scale = power_near_largest(weight);
  double log_scale = std::log(static_cast<double>(scale));
  const Var<T> w = weight * (T(1) / scale);
  const Var<T> transposed = swap_axes(w, 0, 1);
  Var<T> power = shape[0] <= shape[1] ? matmul(w, transposed) : matmul(transposed, w);
  double exponent = 2;
  for (int k = 0; k <= squarings; ++k, exponent *= 2) {
    scale = power_near_largest(power);
    log_scale += std::log(static_cast<double>(scale)) / exponent;
    power = power * (T(1) / scale);
    if (k < squarings) power = matmul(power, power);
  }
  return log(sum(square(power))) * static_cast<T>(1 / order) + static_cast<T>(log_scale);
}

}  // namespace

template <class T>
Var<T> spectral_norm_bound(const Var<T>& weight) {
  return exp(log_bound(weight));
}

template <class T>
Var<T> with_spectral_bound(const Var<T>& weight, double bound) {
  return weight * exp(-relu(log_bound(weight) - static_cast<T>(std::log(bound))));
}

#define FJORD_INSTANTIATE(T)                          \
  template Var<T> spectral_norm_bound(const Var<T>&); \
  template Var<T> with_spectral_bound(const Var<T>&, double);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::nn
