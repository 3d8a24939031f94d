#include "fjord/optim/clip.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {
namespace {

template <class T>
double norm_of(std::span<const T> numbers) {
  double largest = 0;
  for (const T x : numbers) largest = std::max(largest, std::abs(static_cast<double>(x)));
  // If it is infinite, or zero because all is NaN, the plain sum of squares says so.
  const double unit = largest > 0 && std::isfinite(largest) ? largest : 1;
  double sum = 0;
  for (const T x : numbers) {
    const double scaled = static_cast<double>(x) / unit;
    sum += scaled * scaled;
  }
  return unit * std::sqrt(sum);
}

}  // namespace

template <class T>
double clip_by_norm(std::span<T> gradient, double max_norm) {
  check_positive("clip_by_norm", "max_norm", max_norm);
  const double norm = norm_of(std::span<const T>(gradient));
  if (!std::isfinite(norm) || norm <= max_norm) return norm;
  const double factor = max_norm / norm;
  for (T& g : gradient) g = static_cast<T>(static_cast<double>(g) * factor);
  return norm;
}

template <class T>
void clip_by_value(std::span<T> gradient, double max_value) {
  check_positive("clip_by_value", "max_value", max_value);
  for (T& g : gradient) {
    g = static_cast<T>(std::clamp(static_cast<double>(g), -max_value, max_value));
  }
}

#define FJORD_INSTANTIATE(T)                          \
  template double clip_by_norm(std::span<T>, double); \
  template void clip_by_value(std::span<T>, double);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::optim
