#include "fjord/autodiff/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

namespace fjord {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("random: Philox gives the known answers of its authors") {
  // Source: kat_vectors and old_kat_vectors of Random123 1.14, philox4x32 with 10 rounds.
  struct Known {
    Words counter;
    std::uint64_t key;
    Words words;
  };

  for (const Known& known : std::vector<Known>{
           {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
           {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
            0xffffffffffffffff,
            {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
           {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
            0x299f31d0a4093822,
            {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
           {{1, 0, 0, 0}, 1, {0xac08141b, 0xdfc5ccbe, 0x79c07a47, 0xa7f66093}},
           {{0, 1, 0, 0}, 1, {0x833ff8dc, 0x225c963c, 0x232b88b3, 0x0b334b07}},
           {{0, 0, 1, 0}, 1, {0x07071c12, 0x428264b6, 0x3909104b, 0x6da2bda2}},
           {{0, 0, 0, 1}, 1, {0x127bee41, 0x1e047488, 0x48842b20, 0x0a393496}},
           {{0, 0xffffffff, 0, 0}, 1, {0x04e2eae1, 0x463cc999, 0xe7786310, 0x65b3dc49}},
       }) {
    Words words = known.counter;
    philox4x32(words, known.key);
    CHECK(words == known.words);
  }
}

template <class T>
struct Sequence {
  std::string name;
  void (*fill)(const RandomKey&, std::span<T>, std::uint64_t);
};

template <class T>
const std::vector<Sequence<T>>& sequences() {
  static const std::vector<Sequence<T>> all{
      {"uniform", [](const RandomKey& r, std::span<T> out, std::uint64_t i) { r.uniform(out, i); }},
      {"normal", [](const RandomKey& r, std::span<T> out, std::uint64_t i) { r.normal(out, i); }},
      {"truncated_normal",
       [](const RandomKey& r, std::span<T> out, std::uint64_t i) { r.truncated_normal(out, i); }},
      {"rademacher",
       [](const RandomKey& r, std::span<T> out, std::uint64_t i) { r.rademacher(out, i); }},
  };
  return all;
}

template <class T>
std::vector<T> draw(const Sequence<T>& sequence, std::uint64_t seed, std::size_t count,
                    std::uint64_t first = 0) {
  std::vector<T> numbers(count);
  sequence.fill(RandomKey(seed), numbers, first);
  return numbers;
}

TEST_CASE_TEMPLATE("random: any split of a range gives the same bits", T, float, double) {
  for (const Sequence<T>& sequence : sequences<T>()) {
    CAPTURE(sequence.name);
    const std::vector<T> whole = draw(sequence, 7, 1000);
    for (const std::size_t step : {1U, 3U, 16U, 63U, 64U, 65U, 500U}) {
      std::vector<T> parts;
      for (std::size_t at = 0; at < whole.size(); at += step) {
        const std::vector<T> part = draw(sequence, 7, std::min(step, whole.size() - at), at);
        parts.insert(parts.end(), part.begin(), part.end());
      }
      CHECK(parts == whole);
    }
    CHECK(draw(sequence, 7, 0).empty());
    // Far out, over the point where the counter's low word is full.
    const std::uint64_t far = (std::uint64_t{1} << 34) - 100;
    const std::vector<T> there = draw(sequence, 7, 200, far);
    const std::vector<T> behind = draw(sequence, 7, 90, far + 110);
    CHECK(std::equal(behind.begin(), behind.end(), there.begin() + 110));
    CHECK(!std::equal(there.begin() + 100, there.end(), whole.begin()));
  }
}

TEST_CASE("random: the float sequences are the double sequences with fewer digits") {
  constexpr std::size_t count = 100'000;
  const auto of = [](std::size_t i, auto type) {
    return draw(sequences<decltype(type)>()[i], 11, count);
  };
  const std::vector<double> uniform = of(0, 0.0);
  const std::vector<float> uniform_float = of(0, 0.0F);
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(uniform_float[i] == std::floor(uniform[i] * 0x1p24) * 0x1p-24);
  }
  CHECK(of(3, 0.0F) == std::vector<float>([&] {
          const std::vector<double> signs = of(3, 0.0);
          return std::vector<float>(signs.begin(), signs.end());
        }()));
  for (const std::size_t normal : {1U, 2U}) {
    const std::vector<double> exact = of(normal, 0.0);
    const std::vector<float> rough = of(normal, 0.0F);
    double worst = 0;
    for (std::size_t i = 0; i < count; ++i) {
      // 32 bits of the probability p leave an error of up to 2^-33 in it, which the slope of the
      // quantile, at most 1 / (p x) in a tail, carries to x; the float formula errs by some 1e-7.
      const double x = std::abs(exact[i]);
      const double p = 0.5 * std::erfc(x / std::sqrt(2.0));
      const double allowed = 0x1p-33 / (p * std::max(x, 0.4)) + 5e-7 * std::max(x, 0.1);
      worst = std::max(worst, std::abs(rough[i] - exact[i]) / allowed);
    }
    CHECK(worst < 1);
  }
}

struct Moments {
  double mean = 0;
  double variance = 0;
  double skewness = 0;
  double kurtosis = 0;
};

template <class T>
Moments moments_of(const std::vector<T>& numbers) {
  const auto n = static_cast<double>(numbers.size());
  Moments m;
  for (const T x : numbers) m.mean += static_cast<double>(x) / n;
  double third = 0;
  double fourth = 0;
  for (const T number : numbers) {
    const double x = static_cast<double>(number) - m.mean;
    m.variance += x * x / n;
    third += x * x * x / n;
    fourth += x * x * x * x / n;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

TEST_CASE_TEMPLATE("random: moments are those of the distributions", T, float, double) {
  constexpr std::size_t count = 1'000'000;
  // Given |x| <= 2 a standard normal has these even moments: v = 1 - 4 phi(2) / (1 - 2 Phi(-2)),
  // fourth = 3 v - 16 phi(2) / (1 - 2 Phi(-2)).
  const double ratio = std::exp(-2.0) / std::sqrt(2 * std::acos(-1.0)) / std::erf(std::sqrt(2.0));
  const double v = 1 - 4 * ratio;
  const double fourth = 3 * v - 16 * ratio;
  const std::array<Moments, 4> expected{Moments{0.5, 1.0 / 12, 0, 1.8}, Moments{0, 1, 0, 3},
                                        Moments{0, v, 0, fourth / (v * v)}, Moments{0, 1, 0, 1}};
  CHECK(v == doctest::Approx(0.7737).epsilon(1e-4));
  for (std::size_t i = 0; i < 4; ++i) {
    const Sequence<T>& sequence = sequences<T>()[i];
    CAPTURE(sequence.name);
    const Moments m = moments_of(draw(sequence, 3, count));
    const Moments& e = expected[i];
    const double deviation = std::sqrt(e.variance / count);  // of the mean
    // Five standard deviations of each estimate; those of the higher moments are the normal's,
    // which are larger than the others'.
    CHECK(std::abs(m.mean - e.mean) < 5 * deviation);
    CHECK(std::abs(m.variance - e.variance) < 5 * std::sqrt(2.0 / count) * e.variance);
    CHECK(std::abs(m.skewness - e.skewness) < 5 * std::sqrt(6.0 / count));
    CHECK(std::abs(m.kurtosis - e.kurtosis) < 5 * std::sqrt(24.0 / count));
  }
}

TEST_CASE_TEMPLATE("random: numbers stay in their intervals", T, float, double) {
  constexpr std::size_t count = 1'000'000;
  const std::vector<T> uniform = draw(sequences<T>()[0], 5, count);
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= 0);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 1);
  const std::vector<T> normal = draw(sequences<T>()[1], 5, count);
  CHECK(std::none_of(normal.begin(), normal.end(), [](T x) { return x == 0; }));
  CHECK(*std::max_element(normal.begin(), normal.end()) > T(4.2));  // of a million, 13 on average
  CHECK(*std::max_element(normal.begin(), normal.end()) < T(6.4));
  const std::vector<T> truncated = draw(sequences<T>()[2], 5, count);
  CHECK(*std::min_element(truncated.begin(), truncated.end()) >= -2);
  CHECK(*std::min_element(truncated.begin(), truncated.end()) < T(-1.9999));
  CHECK(*std::max_element(truncated.begin(), truncated.end()) <= 2);
  for (const T sign : draw(sequences<T>()[3], 5, 1000)) CHECK(std::abs(sign) == 1);
}

// The two words behind entry i of a stream, as the source lays them out: word i % 64 / 16 of block
// i / 64 * 16 + i % 16.
std::array<std::uint32_t, 2> words_behind(std::uint64_t key, std::uint32_t stream,
                                          std::uint64_t i) {
  std::array<std::uint32_t, 2> result{};
  const std::uint64_t block = i / 64 * 16 + i % 16;
  for (const std::uint32_t part : {0U, 1U}) {
    Words words{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), part,
                stream};
    philox4x32(words, key);
    result[part] = words[i % 64 / 16];
  }
  return result;
}

// The probability beyond a number of the normal stream (2) or the truncated one (3): 31 bits and 22
// of the words, and a half; the top bit is the side.
struct Tail {
  double sign;
  double p;
};

Tail tail_of(std::uint64_t key, std::uint32_t stream, std::uint64_t i) {
  const auto [upper, lower] = words_behind(key, stream, i);
  const bool above = upper >> 31 != 0;
  const std::uint32_t bits = (above ? ~upper : upper) & 0x7fffffff;
  return {above ? 1.0 : -1.0, bits * 0x1p-32 + (lower >> 11) * 0x1p-53 + 0x1p-54};
}

// The error in x that the C library's erfc sees, relative to 1 / (1 + x^2): an error e of x is one
// of about x^2 e in the tail's probability.
double quantile_error(double x, const Tail& tail) {
  if (!(x * tail.sign > 0)) return INFINITY;
  return std::abs(0.5 * std::erfc(std::abs(x) / std::sqrt(2.0)) / tail.p - 1) / (1 + x * x);
}

TEST_CASE("random: normals are the inverse distribution function of their words") {
  constexpr std::size_t count = 200'000;
  const std::vector<double> normal = draw(sequences<double>()[1], 99, count);
  const std::vector<double> truncated = draw(sequences<double>()[2], 99, count);
  const double outside = 0.5 * std::erfc(std::sqrt(2.0));
  double worst = 0;
  double worst_truncated = 0;
  for (std::size_t i = 0; i < count; ++i) {
    worst = std::max(worst, quantile_error(normal[i], tail_of(99, 2, i)));
    Tail tail = tail_of(99, 3, i);
    tail.p = outside + (1 - 2 * outside) * tail.p;
    worst_truncated = std::max(worst_truncated, quantile_error(truncated[i], tail));
  }
  CHECK(worst < 1e-15);
  CHECK(worst_truncated < 1e-15);
}

TEST_CASE("random: normals of the far tails are accurate, too") {
  // Entries found by a search, with probabilities beyond them from 2.5e-10 down to 1.5e-11.
  for (const std::uint64_t i : {5808866202ULL, 15280928505ULL, 11368139311ULL, 6521041013ULL,
                                350720297ULL, 15270261927ULL}) {
    const Tail tail = tail_of(12345, 2, i);
    const double x = draw(sequences<double>()[1], 12345, 1, i)[0];
    CHECK(tail.p < 3e-10);
    CHECK(quantile_error(x, tail) < 1e-15);
  }
}

// Pearson's statistic of counts that should all be alike.
template <class Counts>
double chi_square(const Counts& counts, double expected) {
  double sum = 0;
  for (const auto& count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST_CASE("random: uniform numbers fill 1000 intervals alike, alone and in pairs") {
  const std::vector<double> u = draw(sequences<double>()[0], 21, 1'000'000);
  std::vector<double> alone(1000);
  std::vector<double> pairs(1000);
  for (std::size_t i = 0; i + 1 < u.size(); i += 2) {
    alone[static_cast<std::size_t>(u[i] * 1000)] += 1;
    alone[static_cast<std::size_t>(u[i + 1] * 1000)] += 1;
    pairs[static_cast<std::size_t>(u[i] * 40) * 25 + static_cast<std::size_t>(u[i + 1] * 25)] += 1;
  }
  // 999 degrees of freedom: mean 999, deviation 44.7.
  CHECK(std::abs(chi_square(alone, 1000) - 999) < 4 * 44.7);
  CHECK(std::abs(chi_square(pairs, 500) - 999) < 4 * 44.7);
}

TEST_CASE("random: a permutation holds every number once") {
  for (const std::uint32_t n : {0U, 1U, 2U, 3U, 64U, 65U, 1000U, 100'000U}) {
    std::vector<std::uint32_t> order = RandomKey(4).permutation(n);
    CHECK(order == RandomKey(4).permutation(n));
    if (n == 1000) CHECK(order != RandomKey(5).permutation(n));
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < n; ++i) REQUIRE(order[i] == i);
    CHECK(order.size() == n);
  }
}

TEST_CASE("random: all permutations are equally likely") {
  std::map<std::vector<std::uint32_t>, double> counts;
  const RandomKey source(17);
  for (std::uint64_t i = 0; i < 120'000; ++i) ++counts[source.fold(i).permutation(5)];
  REQUIRE(counts.size() == 120);
  std::vector<double> all;
  all.reserve(counts.size());
  for (const auto& entry : counts) all.push_back(entry.second);
  // 119 degrees of freedom: mean 119, deviation 15.4.
  CHECK(std::abs(chi_square(all, 1000) - 119) < 4 * 15.4);
}

TEST_CASE("random: folded generators are others, and independent of each other") {
  const RandomKey source(2);
  CHECK(RandomKey(source.key()).fold(3).key() == source.fold(3).key());
  std::set<std::uint64_t> keys{source.key()};
  for (std::uint64_t i = 0; i < 100'000; ++i) keys.insert(source.fold(i).key());
  for (std::uint64_t i = 0; i < 1000; ++i) keys.insert(source.fold(i).fold(0).key());
  for (std::uint64_t i = 0; i < 1000; ++i) keys.insert(RandomKey(i + 100).fold(0).key());
  CHECK(keys.size() == 102'001);
  // The correlation of n pairs of independent normals has deviation 1 / sqrt(n).
  constexpr std::size_t n = 10'000;
  const auto correlation = [&](const RandomKey& a, const RandomKey& b) {
    std::vector<double> x(n);
    std::vector<double> y(n);
    a.normal<double>(x);
    b.normal<double>(y);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += x[i] * y[i];
    return std::abs(sum) / n;
  };
  double worst = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    worst = std::max({worst, correlation(source.fold(i), source.fold(i + 1)),
                      correlation(source, source.fold(i)),
                      correlation(RandomKey(i), RandomKey(i + 1))});
  }
  CHECK(worst < 4.5 / std::sqrt(double{n}));
}

TEST_CASE("random: the sequences of one key are independent of each other") {
  constexpr std::size_t n = 100'000;
  std::array<std::vector<double>, 4> drawn;
  for (std::size_t i = 0; i < 4; ++i) {
    drawn[i] = draw(sequences<double>()[i], 8, n);
    const Moments m = moments_of(drawn[i]);
    for (double& x : drawn[i]) x = (x - m.mean) / std::sqrt(m.variance);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += drawn[i][k] * drawn[j][k];
      CHECK(std::abs(sum) / n < 4 / std::sqrt(double{n}));
    }
  }
}

// FNV-1a over the bytes of the numbers.
template <class T>
void add_bytes(std::uint64_t& hash, const std::vector<T>& numbers) {
  for (const T& number : numbers) {
    std::array<unsigned char, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &number, sizeof(T));
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  }
}

TEST_CASE("random: the bits are the same on every build") {
  // Written down once: whatever compiler, flags and processor, these stay.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint64_t seed : {0ULL, 1ULL, 0x123456789abcdef0ULL}) {
    for (const auto& sequence : sequences<float>()) add_bytes(hash, draw(sequence, seed, 5000));
    for (const auto& sequence : sequences<double>()) add_bytes(hash, draw(sequence, seed, 5000));
    add_bytes(hash, RandomKey(seed).permutation(1000));
    add_bytes(hash, std::vector<std::uint64_t>{RandomKey(seed).fold(seed + 1).key()});
  }
  CHECK(hash == 13616421693006524841ULL);
}

}  // namespace
}  // namespace fjord
