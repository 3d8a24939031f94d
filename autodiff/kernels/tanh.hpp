/// The hyperbolic tangent with its slope, for registers: what tanh and fused layers share.
#pragma once

#include "fjord/autodiff/kernels/simd_exponential.hpp"

namespace fjord::kernels {

template <class T>
struct ValueAndSlope {
  simd::Batch<T> value;
  simd::Batch<T> slope;
};

// tanh for |x| < 0.625 as x + x^3 p(x^2) / q(x^2), where (1 - e) / (1 + e) would cancel.
// Source: Cephes (Moshier), tanh.c.
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

// e^y and 1 - e^y of Count registers, y <= 0, step by step for all of them: one alone is a chain of
// dependent instructions that leaves most of a core idle.
template <int Count>
struct Exponentials {
  simd::Batch<float> e[Count];
  simd::Batch<float> rest[Count];

  explicit Exponentials(const simd::Batch<float>* y) {
    using Batch = simd::Batch<float>;
    const auto each = [](auto step) {
#pragma GCC unroll 4
      for (int i = 0; i < Count; ++i) step(i);
    };
    // Adding 1.5 2^23 rounds to an integer in the low bits; 127 makes it the exponent of 2^n.
    constexpr float magic = 12582912.0F + 127.0F;
    Batch power[Count];
    Batch f[Count];
    Batch p[Count];
    // Below -88, where n would pass -127, e is 0; a NaN passes as it comes second.
    each([&](int i) { f[i] = xsimd::max(Batch(-88.0F), y[i]); });
    each([&](int i) { power[i] = xsimd::fma(f[i], Batch(1.44269504F), Batch(magic)); });
    // ln 2 in two parts, the first short enough that n times it is exact.
    each([&](int i) {
      const Batch n = power[i] - Batch(magic);
      f[i] = xsimd::fma(n, Batch(2.12194440e-4F), xsimd::fma(n, Batch(-0.693359375F), f[i]));
      using Bits = simd::Batch<std::int32_t>;
      power[i] = xsimd::bitwise_cast<Batch>(xsimd::bitwise_cast<Bits>(power[i]) << 23);
    });
    // (e^f - 1 - f) / f^2. Source: Cephes (Moshier), expf.c.
    each([&](int i) { p[i] = xsimd::fma(f[i], Batch(1.9875691500e-4F), Batch(1.3981999507e-3F)); });
    for (const float c : {8.3334519073e-3F, 4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F})
      each([&](int i) { p[i] = xsimd::fma(p[i], f[i], Batch(c)); });
    each([&](int i) { p[i] = xsimd::fma(p[i], f[i] * f[i], f[i]); });
    each([&](int i) {
      e[i] = xsimd::fma(power[i], p[i], power[i]);
      rest[i] = xsimd::fnma(power[i], p[i], Batch(1.0F) - power[i]);
    });
  }
};

// With e = exp(-2 |x|): y = sign(x) (1 - e) / (1 + e), slope 4 e / (1 + e)^2.
struct Tanh {
  static constexpr const char* name = "tanh";

  static ValueAndSlope<double> both(const simd::Batch<double>& x) {
    using Batch = simd::Batch<double>;
    const Batch one(1.0);
    const Batch a = xsimd::abs(x);
    const Batch e = simd::exp(Batch(-2.0 * a));
    const Batch r = one / (one + e);
    const Batch large = xsimd::copysign((one - e) * r, x);
    return {xsimd::select(a < Batch(0.625), small_tanh(x), large), 4.0 * e * r * r};
  }

  static ValueAndSlope<float> both(const simd::Batch<float>& x) {
    ValueAndSlope<float> result;
    some<1>(&x, &result.value, &result.slope);
    // There e is not a normal number, but its multiple 4 e may be.
    const simd::Batch<float> a = xsimd::abs(x);
    const auto is_tail = (a > simd::Batch<float>(43.5F)) & (a < simd::Batch<float>(53.0F));
    result.slope =
        simd::mend(result.slope, is_tail, a, [](float v) { return 4 * std::exp(-2 * v); });
    return result;
  }

  /// values[i], slopes[i] of x[i] for i in [0, n).
  static void both(Index n, const simd::Batch<float>* x, simd::Batch<float>* values,
                   simd::Batch<float>* slopes) {
    Index i = 0;
    for (; i + at_once <= n; i += at_once) some<at_once>(x + i, values + i, slopes + i);
    for (; i + 2 <= n; i += 2) some<2>(x + i, values + i, slopes + i);
    if (i < n) some<1>(x + i, values + i, slopes + i);
  }

  static void both(Index n, const simd::Batch<double>* x, simd::Batch<double>* values,
                   simd::Batch<double>* slopes) {
    for (Index i = 0; i < n; ++i) {
      const auto [value, slope] = both(x[i]);
      values[i] = value;
      slopes[i] = slope;
    }
  }

  template <class V>
  static V curvature(const V& y, const V& s) {
    return (y * s) * -2;
  }

 private:
  // As many as the registers of the processor hold next to the constants: 32 of 512 bits, or 16.
  static constexpr Index at_once = simd::width<float> >= 16 ? 4 : 2;

  template <int Count>
  [[gnu::always_inline]] static void some(const simd::Batch<float>* x, simd::Batch<float>* values,
                                          simd::Batch<float>* slopes) {
    using Batch = simd::Batch<float>;
    Batch y[Count];
    // Sums in place of products, for which processors have other units, which have less to do.
#pragma GCC unroll 4
    for (int i = 0; i < Count; ++i) {
      const Batch minus_a = x[i] | Batch(-0.0F);
      y[i] = minus_a + minus_a;
    }
    const Exponentials<Count> exponentials(y);
#pragma GCC unroll 4
    for (int i = 0; i < Count; ++i) {
      const Batch e = exponentials.e[i];
      const Batch r = Batch(1.0F) / (Batch(1.0F) + e);
      values[i] = (exponentials.rest[i] * r) | (x[i] & Batch(-0.0F));  // it had the sign +
      slopes[i] = (e * (r + r)) * (r + r);
    }
  }
};

}  // namespace fjord::kernels
