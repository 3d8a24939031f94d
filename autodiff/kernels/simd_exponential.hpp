/// e^x and log x of registers, right below the normal numbers, too, where xsimd's are not.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/kernels/simd.hpp"

namespace fjord::kernels::simd {

/// y with f(x) instead in the lanes of the mask.
template <class T, class F>
Batch<T> mend(const Batch<T>& y, const xsimd::batch_bool<T>& mask, const Batch<T>& x, F f) {
  if (!xsimd::any(mask)) return y;
  std::array<T, Batch<T>::size> lanes;
  x.store_unaligned(lanes.data());
  std::transform(lanes.begin(), lanes.end(), lanes.begin(), f);
  return xsimd::select(mask, Batch<T>::load_unaligned(lanes.data()), y);
}

/// e^x: xsimd's, which is 0 where the result is not a normal number, and in float infinite before
/// its time, with those results.
template <class T>
Batch<T> exp(const Batch<T>& x) {
  constexpr bool is_double = sizeof(T) == sizeof(double);
  const Batch<T> first_normal(is_double ? T(-708) : T(-87));
  const Batch<T> last_nonzero(is_double ? T(-746) : T(-104));
  const Batch<T> last_small(is_double ? T(709) : T(88));
  return mend(xsimd::exp(x), ((x < first_normal) & (x > last_nonzero)) | (x > last_small), x,
              [](T v) { return std::exp(v); });
}

/// log x: xsimd's, which is wrong of what is not a normal number, with those logarithms.
template <class T>
Batch<T> log(const Batch<T>& x) {
  const Batch<T> first_normal(std::numeric_limits<T>::min());
  return mend(xsimd::log(x), (x < first_normal) & (x > Batch<T>(T(0))), x,
              [](T v) { return std::log(v); });
}

}  // namespace fjord::kernels::simd
