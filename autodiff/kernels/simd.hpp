/// Loops over runs of numbers, a vector register at a time.
#pragma once

#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

#include "fjord/autodiff/shape.hpp"

namespace fjord::kernels::simd {

template <class T>
using Batch = xsimd::batch<T>;

template <class T>
inline constexpr Index width = static_cast<Index>(Batch<T>::size);

/// A run in which every entry is the same number.
template <class T>
struct Repeated {
  const T* number;
};

template <class T>
Batch<T> load(const T* run, Index i) {
  return Batch<T>::load_unaligned(run + i);
}

template <class T>
Batch<T> load(Repeated<T> run, Index) {
  return Batch<T>(*run.number);
}

/// Calls body with every lane number as a constant: code of single lanes that no copy through
/// memory holds up.
template <class T, class Body>
auto with_lanes(Body body) {
  return [&]<Index... lane>(std::integer_sequence<Index, lane...>) {
    return body(std::integral_constant<Index, lane>()...);
  }
  (std::make_integer_sequence<Index, width<T>>());
}

/// The sums of the entries of `width` registers, one after another.
///
/// Note:    xsimd's own (haddp) has them in another order for float in registers of 512 bits, whose
///          halves are added first.
template <class T>
Batch<T> sums(const Batch<T>* registers) {
  if constexpr (width<T> <= 8) {
    return xsimd::haddp(registers);
  } else {
    using Half = xsimd::make_sized_batch_t<T, width<T> / 2>;
    constexpr Index half = width<T> / 2;
    const T* lanes = reinterpret_cast<const T*>(registers);
    alignas(Batch<T>::arch_type::alignment()) std::array<T, Batch<T>::size> sums;
    for (Index i = 0; i < width<T>; i += half) {
      std::array<Half, Half::size> halves;
      for (Half& h : halves) {
        h = Half::load_aligned(lanes) + Half::load_aligned(lanes + half);
        lanes += width<T>;
      }
      xsimd::haddp(halves.data()).store_aligned(sums.data() + i);
    }
    return Batch<T>::load_aligned(sums.data());
  }
}

/// The `count` < width entries from i on; the rest repeat the first, so that no lane sees a strange
/// number.
template <class T>
Batch<T> load_part(const T* run, Index i, Index count) {
  if (count == 1) return Batch<T>(run[i]);
  return with_lanes<T>([=](auto... lane) {
    const typename Batch<T>::register_type lanes = {run[i + (lane < count ? lane : 0)]...};
    return Batch<T>(lanes);
  });
}

template <class T>
Batch<T> load_part(Repeated<T> run, Index, Index) {
  return Batch<T>(*run.number);
}

template <class T>
void store_part(const Batch<T>& batch, T* run, Index count) {
  std::array<T, Batch<T>::size> lanes;
  batch.store_unaligned(lanes.data());
  with_lanes<T>([&](auto... lane) {
    ((lane < count ? void(run[lane] = lanes[static_cast<std::size_t>(lane.value)]) : void()), ...);
  });
}

/// f(in...) of single numbers, to the bits of a lane.
template <class T, class F, class... In>
T of_numbers(F f, In... in) {
  return static_cast<typename Batch<T>::register_type>(f(Batch<T>(in)...))[0];
}

/// out[i] = f(in[i]...) for i in [0, n), where each `in` is `out` itself or apart from it.
///
/// The last lanes go through the same f, so position changes no bits: as the end of a register that
/// reaches back, which is computed before anything is written.
template <class T, class F, class... In>
void transform(Index n, T* out, F f, In... in) {
  if (n < width<T>) {
    if (n > 0) store_part(f(load_part(in, 0, n)...), out, n);
    return;
  }
  const Index whole = n / width<T> * width<T>;
  const Index last = n - width<T>;
  Batch<T> end;
  if (whole < n) end = f(load(in, last)...);
  for (Index i = 0; i < whole; i += width<T>) f(load(in, i)...).store_unaligned(out + i);
  if (whole < n) end.store_unaligned(out + last);
}

/// {a[i], b[i]} = f(in[i]), where `in` may be a itself.
template <class T, class F>
void transform_pair(Index n, T* a, T* b, F f, const T* in) {
  Index i = 0;
  for (; i + width<T> <= n; i += width<T>) {
    const auto [first, second] = f(load(in, i));
    first.store_unaligned(a + i);
    second.store_unaligned(b + i);
  }
  if (i == n) return;
  const auto [first, second] = f(load_part(in, i, n - i));
  store_part(first, a + i, n - i);
  store_part(second, b + i, n - i);
}

/// out[i] (fresh: =, else +=) f(in[i]...).
template <class T, class F, class... In>
void accumulate(Index n, T* out, bool fresh, F f, In... in) {
  if (fresh) {
    transform(n, out, f, in...);
  } else {
    const T* old = out;
    transform(
        n, out, [&f](const Batch<T>& o, const auto&... x) { return o + f(x...); }, old, in...);
  }
}

/// f(... f(f(start, in[0]), in[1]) ..., in[n - 1]), lane by lane; entries may come more than once.
template <class T, class F>
Batch<T> fold(Index n, Batch<T> start, F f, const T* in) {
  Index i = 0;
  for (; i + width<T> <= n; i += width<T>) start = f(start, load(in, i));
  return i < n ? f(start, load_part(in, i, n - i)) : start;
}

/// The sum of the lanes, added in a tree.
template <class T>
T sum_of_lanes(const Batch<T>& batch) {
  std::array<T, Batch<T>::size> lanes;
  batch.store_unaligned(lanes.data());
  for (std::size_t half = lanes.size() / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

/// The rounding error of sum = a + b, of numbers or registers; NaN where the sum is not finite.
///
/// Source:  Knuth, The Art of Computer Programming 2, sec. 4.2.2.
template <class V>
V error_of_sum(const V& a, const V& b, const V& sum) {
  const V of_b = sum - a;
  return (a - (sum - of_b)) + (b - of_b);
}

/// A sum that keeps its digits however many numbers are added.
///
/// Source:  Ogita, Rump & Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26, 2005
///          (Sum2).
class LongSum final {
 public:
  void add(double x) {
    const double sum = sum_ + x;
    error_ += error_of_sum(sum_, x, sum);
    sum_ = sum;
  }

  void scale(double factor) {
    sum_ *= factor;
    error_ *= factor;
  }

  /// Infinite and NaN as a plain sum, and -0 only if all numbers were.
  double value() const {
    return std::abs(error_) > 0 && std::isfinite(error_) ? sum_ + error_ : sum_;
  }

 private:
  double sum_ = -0.0;
  double error_ = 0;
};

/// Sum of f(in[i]...) over i in [0, n); blocks are added in double, so long sums keep their digits.
/// A sum of masked zeros, or of nothing, is a masked zero: see masked_zero.
template <class T, class F, class... In>
double sum(Index n, F f, In... in) {
  constexpr Index block = 64 * width<T>;
  LongSum total;
  Index i = 0;
  while (i + width<T> <= n) {
    const Index end = std::min(n - width<T>, i + block - width<T>);
    Batch<T> lanes(T(-0.0));
    for (; i <= end; i += width<T>) lanes += f(load(in, i)...);
    total.add(static_cast<double>(sum_of_lanes<T>(lanes)));
  }
  if (i < n) {
    std::array<T, Batch<T>::size> lanes;
    f(load_part(in, i, n - i)...).store_unaligned(lanes.data());
    for (Index k = 0; k < n - i; ++k)
      total.add(static_cast<double>(lanes[static_cast<std::size_t>(k)]));
  }
  return total.value();
}

/// The zero of a derivative on which nothing depends, because a selection did not choose its entry.
///
/// It stays zero whatever it is multiplied with; every other zero of a derivative is +0, and times
/// an infinite slope NaN. Sums are right by themselves: -0 + -0 is -0, and -0 + 0 is +0.
template <class T>
inline constexpr T masked_zero = T(-0.0);

template <class T>
xsimd::batch_bool<T> is_masked(const Batch<T>& g) {
  using Bits = xsimd::batch<xsimd::as_integer_t<T>>;
  return xsimd::bool_cast(xsimd::bitwise_cast<Bits>(g) ==
                          xsimd::bitwise_cast<Bits>(Batch<T>(masked_zero<T>)));
}

template <class T>
bool is_masked(T g) {
  return g == 0 && std::signbit(g);
}

/// x, a zero made +0: what is computed is not masked. Not by adding 0, which a compiler may join to
/// a product that underflows.
template <class T>
Batch<T> computed(const Batch<T>& x) {
  const Batch<T> zero(T(0));
  return xsimd::select(x == zero, zero, x);
}

template <class T>
T computed(T x) {
  return x == 0 ? T(0) : x;
}

/// The derivative g times the slope d: masked where g is, whatever d is.
///
/// An object, not a function, so that loops that it is handed to are compiled with it inside.
template <class T>
inline constexpr auto strong_product = [](const Batch<T>& g, const Batch<T>& d) {
  return xsimd::select(is_masked(g), g, computed<T>(g * d));
};

/// The same of single numbers.
template <class T>
T strong_product_of(T g, T d) {
  return is_masked(g) ? g : computed(g * d);
}

/// The product of two derivatives: masked where either is, whatever the other is.
template <class T>
inline constexpr auto product_of_derivatives = [](const Batch<T>& g, const Batch<T>& h) {
  return xsimd::select(is_masked(g) | is_masked(h), Batch<T>(masked_zero<T>), computed<T>(g * h));
};

/// -g of a derivative g; a zero keeps its sign.
inline constexpr auto negated = [](const auto& g) {
  using V = std::decay_t<decltype(g)>;
  return xsimd::select(g == V(0), g, -g);
};

/// A derivative that somebody gave: its zeros are masked.
inline constexpr auto seed = [](const auto& g) {
  using V = std::decay_t<decltype(g)>;
  return xsimd::select(g == V(0), V(masked_zero<typename V::value_type>), g);
};

/// x itself: what a copy or a sum of runs applies.
inline constexpr auto same = [](const auto& x) { return x; };

}  // namespace fjord::kernels::simd
