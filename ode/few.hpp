/// Sums of vectors of few numbers.
#pragma once

#include <array>
#include <cstddef>

namespace fjord::ode {

/// So many numbers are few: loops over them have their count as a constant.
inline constexpr std::size_t few = 8;

/// y plus the sum of `count` terms h weights[j] vectors[j], of n numbers each.
template <std::size_t n, class T>
std::array<T, n> sum_of_few(const T* y, double h, const double* weights, const T* const* vectors,
                            std::size_t count) {
  // Volatile, so that compilers read number by number: a field has just written them so, and one
  // read of several would wait until they are in the cache.
  const volatile T* vector = y;
  std::array<T, n> sums;
  for (std::size_t i = 0; i < n; ++i) sums[i] = vector[i];
  for (std::size_t j = 0; j < count; ++j) {
    const T factor = static_cast<T>(h * weights[j]);
    vector = vectors[j];
    for (std::size_t i = 0; i < n; ++i) sums[i] += factor * vector[i];
  }
  return sums;
}

}  // namespace fjord::ode
