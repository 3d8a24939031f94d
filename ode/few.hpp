/// Sums of vectors of few numbers.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

namespace fjord::ode {

/// So many numbers are few: loops over them have their count as a constant.
inline constexpr std::size_t few = 8;

/// Calls f(0), f(1), ..., f(n - 1), each with a constant, so that no loop is left and arrays of n
/// numbers stay in registers.
template <std::size_t n, class F>
void for_few(F f) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (f(i), ...);
  }
  (std::make_index_sequence<n>());
}

/// y plus the sum of `count` terms h weights[j] vectors[j], of n numbers each.
template <std::size_t n, class T>
[[gnu::always_inline]] inline std::array<T, n> sum_of_few(const T* y, double h,
                                                          const double* weights,
                                                          const T* const* vectors,
                                                          std::size_t count) {
  // Volatile, so that compilers read number by number: a field has just written them so, and one
  // read of several would wait until they are in the cache.
  const volatile T* vector = y;
  std::array<T, n> sums;
  for_few<n>([&](std::size_t i) { sums[i] = vector[i]; });
  for (std::size_t j = 0; j < count; ++j) {
    const T factor = static_cast<T>(h * weights[j]);
    vector = vectors[j];
    for_few<n>([&](std::size_t i) { sums[i] += factor * vector[i]; });
  }
  return sums;
}

}  // namespace fjord::ode
