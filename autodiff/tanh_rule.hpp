/// The hyperbolic tangent with its slope, for registers: what tanh and fused layers share.
#pragma once

#include "fjord/autodiff/simd.hpp"

namespace fjord {

template <class T>
struct ValueAndSlope {
  simd::Batch<T> value;
  simd::Batch<T> slope;
};

// tanh for |x| < 0.625 as x + x^3 p(x^2) / q(x^2), where (1 - e) / (1 + e) would cancel.
// Source: Cephes (Moshier), tanhf.c and tanh.c.
inline simd::Batch<float> small_tanh(const simd::Batch<float>& x) {
  const simd::Batch<float> z = x * x;
  simd::Batch<float> p =
      xsimd::fma(simd::Batch<float>(-5.70498872745e-3f), z, simd::Batch<float>(2.06390887954e-2f));
  p = xsimd::fma(p, z, simd::Batch<float>(-5.37397155531e-2f));
  p = xsimd::fma(p, z, simd::Batch<float>(1.33314422036e-1f));
  p = xsimd::fma(p, z, simd::Batch<float>(-3.33332819422e-1f));
  return xsimd::fma(p * z, x, x);
}

inline simd::Batch<double> small_tanh(const simd::Batch<double>& x) {
  const simd::Batch<double> z = x * x;
  simd::Batch<double> p = xsimd::fma(simd::Batch<double>(-9.64399179425052238628e-1), z,
                                     simd::Batch<double>(-9.92877231001918586564e1));
  p = xsimd::fma(p, z, simd::Batch<double>(-1.61468768441708447952e3));
  simd::Batch<double> q = z + simd::Batch<double>(1.12811678491632931402e2);
  q = xsimd::fma(q, z, simd::Batch<double>(2.23548839060100448583e3));
  q = xsimd::fma(q, z, simd::Batch<double>(4.84406305325125486048e3));
  return xsimd::fma(x * z, p / q, x);
}

struct Tanh {
  static constexpr const char* name = "tanh";

  template <class T>
  static ValueAndSlope<T> both(const simd::Batch<T>& x) {
    const simd::Batch<T> one(T(1));
    const simd::Batch<T> a = xsimd::abs(x);
    const simd::Batch<T> e = xsimd::exp(T(-2) * a);
    const simd::Batch<T> r = one / (one + e);
    const simd::Batch<T> large = xsimd::copysign((one - e) * r, x);
    return {xsimd::select(a < simd::Batch<T>(T(0.625)), small_tanh(x), large), T(4) * e * r * r};
  }

  template <class V>
  static V curvature(const V& y, const V& s) {
    return (y * s) * -2;
  }
};

}  // namespace fjord
