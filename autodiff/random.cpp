#include "fjord/autodiff/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

// The promise of equal bits rests on three things: this file is compiled with -ffp-contract=off (a
// fused multiply-add rounds once, not twice), it uses only +, -, *, / and sqrt, which IEEE 754
// rounds exactly, and it never calls the log of a C library, which changes between versions.
namespace fjord {
namespace {

/// The last word of the counter: what a block is for.
enum class Stream : std::uint32_t {
  fold,
  uniform,
  normal,
  truncated_normal,
  rademacher,
  permutation
};

constexpr std::uint32_t low(std::uint64_t n) {
  return static_cast<std::uint32_t>(n);
}

constexpr std::uint32_t high(std::uint64_t n) {
  return static_cast<std::uint32_t>(n >> 32);
}

using Block = std::array<std::uint32_t, 4>;

constexpr Block philox_round(const Block& c, std::uint32_t k0, std::uint32_t k1) {
  const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
  const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
  return {high(b) ^ c[1] ^ k0, low(b), high(a) ^ c[3] ^ k1, low(a)};
}

// The rounds are unrolled by the language: as a loop they keep g++ from vectorising over blocks.
template <std::uint32_t... Round>
inline Block philox(Block c, std::uint64_t key, std::integer_sequence<std::uint32_t, Round...>) {
  ((c = philox_round(c, low(key) + Round * 0x9E3779B9U, high(key) + Round * 0xBB67AE85U)), ...);
  return c;
}

inline Block philox(const Block& c, std::uint64_t key) {
  return philox(c, key, std::make_integer_sequence<std::uint32_t, 10>());
}

// Entries are made in groups of 16 blocks, so that a loop over blocks fills whole registers: entry
// i is word i % 64 / 16 of block i / 64 * 16 + i % 16.
constexpr std::size_t blocks = 16;
constexpr std::size_t group_size = 4 * blocks;
using Words = std::array<std::uint32_t, group_size>;

/// The words of a group; `part` 1 are the words that follow those of part 0 in a number of 64 bits.
Words words_of(std::uint64_t key, Stream stream, std::uint32_t part, std::uint64_t group) {
  Words words;
  const std::uint64_t block = group * blocks;
  for (std::uint32_t lane = 0; lane < blocks; ++lane) {
    const Block b =
        philox({low(block) + lane, high(block), part, static_cast<std::uint32_t>(stream)}, key);
    for (std::size_t j = 0; j < 4; ++j) words[j * blocks + lane] = b[j];
  }
  return words;
}

/// Fills with entries f(word of part 0, word of part 1); `parts` 1 leaves the latter 0.
template <int parts, class T, class F>
void fill(std::uint64_t key, Stream stream, std::span<T> out, std::uint64_t first, F f) {
  while (!out.empty()) {
    const std::uint64_t group = first / group_size;
    const Words upper = words_of(key, stream, 0, group);
    const Words lower = parts == 2 ? words_of(key, stream, 1, group) : Words{};
    std::array<T, group_size> numbers;
    for (std::size_t i = 0; i < group_size; ++i) numbers[i] = f(upper[i], lower[i]);
    const std::size_t begin = first % group_size;
    const std::size_t count = std::min(out.size(), group_size - begin);
    std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(begin), count, out.begin());
    out = out.subspan(count);
    first += count;
  }
}

/// 1 word makes a float, 2 make a double.
template <class T>
constexpr int words_per_number = sizeof(T) / sizeof(std::uint32_t);

// Only signed conversions: before AVX-512 the hardware has no others.
template <class T>
T to_real(std::uint32_t below_2_31) {
  return static_cast<T>(static_cast<std::int32_t>(below_2_31));
}

/// Coefficients by ascending power; `log` is R in log(1 + f) = s (2 + R(s^2)), s = f / (2 + f), of
/// fdlibm.
template <class T>
struct Coefficients;

template <>
struct Coefficients<float> {
  static constexpr std::array log = {0.0f, 0.66666662693f, 0.40000972152f, 0.28498786688f,
                                     0.24279078841f};
  static constexpr std::array centre_above = {3.3871327179f, 5.0434271938e1f, 1.5929113202e2f,
                                              5.9109374720e1f};
  static constexpr std::array centre_below = {1.0f, 1.7895169469e1f, 7.8757757664e1f,
                                              6.7187563600e1f};
  static constexpr std::array tail_above = {1.4234372777f, 2.7568153900f, 1.3067284816f,
                                            1.7023821103e-1f};
  static constexpr std::array tail_below = {1.0f, 7.3700164250e-1f, 1.2021132975e-1f};
};

template <>
struct Coefficients<double> {
  static constexpr std::array log = {0.0,
                                     6.666666666666735130e-01,
                                     3.999999999940941908e-01,
                                     2.857142874366239149e-01,
                                     2.222219843214978396e-01,
                                     1.818357216161805012e-01,
                                     1.531383769920937332e-01,
                                     1.479819860511658591e-01};
  static constexpr std::array centre_above = {3.3871328727963666080,   1.3314166789178437745e2,
                                              1.9715909503065514427e3, 1.3731693765509461125e4,
                                              4.5921953931549871457e4, 6.7265770927008700853e4,
                                              3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr std::array centre_below = {1.0,
                                              4.2313330701600911252e1,
                                              6.8718700749205790830e2,
                                              5.3941960214247511077e3,
                                              2.1213794301586595867e4,
                                              3.9307895800092710610e4,
                                              2.8729085735721942674e4,
                                              5.2264952788528545610e3};
  static constexpr std::array tail_above = {1.42343711074968357734,    4.63033784615654529590,
                                            5.76949722146069140550,    3.64784832476320460504,
                                            1.27045825245236838258,    2.41780725177450611770e-1,
                                            2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array tail_below = {1.0,
                                            2.05319162663775882187,
                                            1.67638483018380384940,
                                            6.89767334985100004550e-1,
                                            1.48103976427480074590e-1,
                                            1.51986665636164571966e-2,
                                            5.47593808499534494600e-4,
                                            1.05075007164441684324e-9};
  static constexpr std::array far_above = {6.65790464350110377720,    5.46378491116411436990,
                                           1.78482653991729133580,    2.96560571828504891230e-1,
                                           2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                           2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array far_below = {1.0,
                                           5.99832206555887937690e-1,
                                           1.36929880922735805310e-1,
                                           1.48753612908506148525e-2,
                                           7.86869131145613259100e-4,
                                           1.84631831751005468180e-5,
                                           1.42151175831644588870e-7,
                                           2.04426310338993978564e-15};
};

template <class T, std::size_t n, std::size_t... Power>
inline T horner(const std::array<T, n>& a, T x, std::index_sequence<Power...>) {
  T y = a[n - 1];
  ((y = y * x + a[n - 2 - Power]), ...);
  return y;
}

template <class T, std::size_t n>
inline T polynomial(const std::array<T, n>& a, T x) {
  return horner(a, x, std::make_index_sequence<n - 1>());
}

/// log(p) for p in [2^-60, 1]; the relative error grows towards 1.
template <class T>
inline T log_of(T p) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
  constexpr Bits mantissa = (Bits{1} << mantissa_bits) - 1;
  constexpr Bits root_half = std::bit_cast<Bits>(static_cast<T>(0.70710678118654752));
  // p = 2^exponent (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const Bits bits = std::bit_cast<Bits>(p) - root_half;
  const T f = std::bit_cast<T>((bits & mantissa) + root_half) - T(1);
  // The exponent plus 64 becomes the last bits of a number near 2^mantissa_bits: SSE2 cannot
  // convert 64-bit integers.
  constexpr T large = T(Bits{1} << mantissa_bits);
  constexpr Bits shift = Bits{64} << mantissa_bits;
  const T exponent =
      std::bit_cast<T>(((bits + shift) >> mantissa_bits) | std::bit_cast<Bits>(large)) -
      (large + T(64));
  const T s = f / (T(2) + f);
  return exponent * T(0.69314718055994531) + s * (T(2) + polynomial(Coefficients<T>::log, s * s));
}

/// A point of the lower half of (0, 1): its distance from 0 and from 1/2, each to full relative
/// precision.
template <class T>
struct LowerHalf {
  T p;
  T q;
};

/// The x > 0 that a standard normal exceeds with probability p.
template <class T>
inline T upper_quantile(const LowerHalf<T>& at) {
  using C = Coefficients<T>;
  const bool central = at.q <= T(0.425);
  const T y = T(0.180625) - at.q * at.q;
  const T root = std::sqrt(-log_of(at.p));
  T above = polynomial(C::tail_above, root - T(1.6));
  T below = polynomial(C::tail_below, root - T(1.6));
  if constexpr (requires { C::far_above; }) {  // 32 bits do not reach root > 5
    const T far_above = polynomial(C::far_above, root - T(5));
    const T far_below = polynomial(C::far_below, root - T(5));
    above = root > T(5) ? far_above : above;
    below = root > T(5) ? far_below : below;
  }
  const T centre_above = at.q * polynomial(C::centre_above, y);
  const T centre_below = polynomial(C::centre_below, y);
  return (central ? centre_above : above) / (central ? centre_below : below);
}

/// The quantile of a uniform number made of the words: the first gives the sign and 31 bits, the
/// other 22 more. Of each half of (0, 1), only the share `kept` that is next to 1/2 is used.
template <class T>
inline T normal_from(std::uint32_t upper, std::uint32_t lower, T cut, T kept) {
  const std::uint32_t sign = upper >> 31;
  const std::uint32_t bits =
      (upper ^ (0U - sign)) & 0x7FFFFFFFU;  // mirrored, so that x increases with `upper`
  LowerHalf<T> at;
  if constexpr (sizeof(T) == 4) {
    at.p = (to_real<T>(bits) + 0.5f) * 0x1p-32f;
    at.q = (to_real<T>(0x7FFFFFFFU - bits) + 0.5f) * 0x1p-32f;
  } else {
    at.p = to_real<T>(bits) * 0x1p-32 + (to_real<T>(lower >> 11) * 0x1p-53 + 0x1p-54);
    at.q = 0.5 - at.p;  // exact: both are multiples of 2^-54
  }
  at.p = cut + kept * at.p;
  at.q = kept * at.q;
  const T x = upper_quantile(at);
  return sign != 0 ? x : -x;
}

}  // namespace

void philox4x32(std::span<std::uint32_t, 4> counter, std::uint64_t key) {
  const Block words = philox({counter[0], counter[1], counter[2], counter[3]}, key);
  std::copy(words.begin(), words.end(), counter.begin());
}

RandomKey RandomKey::fold(std::uint64_t n) const {
  const Block words = philox({low(n), high(n), 0, static_cast<std::uint32_t>(Stream::fold)}, key_);
  return RandomKey(words[0] | std::uint64_t{words[1]} << 32);
}

template <class T>
void RandomKey::uniform(std::span<T> out, std::uint64_t first) const {
  fill<words_per_number<T>>(key_, Stream::uniform, out, first,
                            [](std::uint32_t upper, std::uint32_t lower) {
                              if constexpr (sizeof(T) == 4)
                                return to_real<T>(upper >> 8) * 0x1p-24f;
                              else
                                return to_real<T>(upper >> 1) * 0x1p-31 +
                                       to_real<T>((upper & 1) << 21 | lower >> 11) * 0x1p-53;
                            });
}

template <class T>
void RandomKey::normal(std::span<T> out, std::uint64_t first) const {
  fill<words_per_number<T>>(key_, Stream::normal, out, first,
                            [](std::uint32_t upper, std::uint32_t lower) {
                              return normal_from<T>(upper, lower, T(0), T(1));
                            });
}

template <class T>
void RandomKey::truncated_normal(std::span<T> out, std::uint64_t first) const {
  constexpr T below_minus_2 = T(0.022750131948179207);
  constexpr T within_2 = T(0.95449973610364159);
  fill<words_per_number<T>>(key_, Stream::truncated_normal, out, first,
                            [](std::uint32_t upper, std::uint32_t lower) {
                              const T x = normal_from<T>(upper, lower, below_minus_2, within_2);
                              return std::clamp(x, T(-2), T(2));  // rounding may step over the edge
                            });
}

template <class T>
void RandomKey::rademacher(std::span<T> out, std::uint64_t first) const {
  fill<1>(key_, Stream::rademacher, out, first,
          [](std::uint32_t upper, std::uint32_t) { return T(1) - to_real<T>(upper >> 31) * T(2); });
}

std::vector<std::uint32_t> RandomKey::permutation(std::uint32_t n) const {
  Words words;
  std::uint64_t used = 0;
  // floor(word * bound / 2^32); words whose remainder would favour some results are passed over.
  const auto next_below = [&](std::uint32_t bound) {
    for (;;) {
      const std::size_t at = used % group_size;
      if (at == 0) words = words_of(key_, Stream::permutation, 0, used / group_size);
      ++used;
      const std::uint64_t product = std::uint64_t{words[at]} * bound;
      if (low(product) >= bound || low(product) >= (0U - bound) % bound) return high(product);
    }
  };
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t left = n; left > 1; --left)
    std::swap(order[left - 1], order[next_below(left)]);
  return order;
}

template void RandomKey::uniform(std::span<float>, std::uint64_t) const;
template void RandomKey::uniform(std::span<double>, std::uint64_t) const;
template void RandomKey::normal(std::span<float>, std::uint64_t) const;
template void RandomKey::normal(std::span<double>, std::uint64_t) const;
template void RandomKey::truncated_normal(std::span<float>, std::uint64_t) const;
template void RandomKey::truncated_normal(std::span<double>, std::uint64_t) const;
template void RandomKey::rademacher(std::span<float>, std::uint64_t) const;
template void RandomKey::rademacher(std::span<double>, std::uint64_t) const;

}  // namespace fjord
