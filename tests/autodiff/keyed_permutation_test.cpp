#include "fjord/autodiff/keyed_permutation.hpp"

#include <cmath>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

namespace fjord {
namespace {

TEST_CASE("keyed_permutation: every number has one place, which place_of finds") {
  for (const std::uint64_t n : {1U, 2U, 3U, 4U, 5U, 16U, 17U, 1000U}) {
    for (const std::uint64_t seed : {1U, 2U}) {
      const KeyedPermutation order(n, RandomKey(seed));
      std::vector<int> seen(n, 0);
      for (std::uint64_t i = 0; i < n; ++i) {
        REQUIRE(order.at(i) < n);
        ++seen[order.at(i)];
        CHECK(order.place_of(order.at(i)) == i);
      }
      CHECK(seen == std::vector<int>(n, 1));
    }
  }
  const std::uint64_t largest = std::uint64_t{1} << 32;
  const KeyedPermutation order(largest, RandomKey(3));
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{12345}, largest - 1})
    CHECK(order.place_of(order.at(i)) == i);
}

TEST_CASE("keyed_permutation: over many keys, every pair of numbers comes first as often") {
  constexpr std::uint64_t n = 5;
  constexpr int keys = 20'000;
  std::vector<int> counts(n * n, 0);
  for (int seed = 0; seed < keys; ++seed) {
    const KeyedPermutation order(n, RandomKey(static_cast<std::uint64_t>(seed)));
    ++counts[order.at(0) * n + order.at(1)];
  }
  const double expected = keys / 20.0;
  double chi_square = 0;
  for (std::uint64_t i = 0; i < n * n; ++i) {
    if (i % (n + 1) == 0) CHECK(counts[i] == 0);
    if (i % (n + 1) != 0) chi_square += std::pow(counts[i] - expected, 2) / expected;
  }
  // 19 degrees of freedom: 43.8 is passed once in a thousand.
  CHECK(chi_square < 43.8);
}

TEST_CASE("keyed_permutation: over many keys, every number comes first as often") {
  constexpr std::uint64_t n = 300;
  constexpr int keys = 20'000;
  std::vector<int> counts(n, 0);
  for (int seed = 0; seed < keys; ++seed)
    ++counts[KeyedPermutation(n, RandomKey(static_cast<std::uint64_t>(seed))).at(0)];
  double chi_square = 0;
  for (const int count : counts) chi_square += std::pow(count - keys / 300.0, 2) / (keys / 300.0);
  // 299 degrees of freedom: 378.8 is passed once in a thousand.
  CHECK(chi_square < 378.8);
}

TEST_CASE("keyed_permutation: lengths out of range are refused") {
  CHECK_THROWS_WITH_AS(KeyedPermutation(0, RandomKey(1)), doctest::Contains("[1, 2^32]"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord
