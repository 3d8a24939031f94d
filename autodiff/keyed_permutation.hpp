/// Random orders of any length without a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fjord/autodiff/random.hpp"

namespace fjord {

/// A permutation of 0 .. n-1 that is computed number by number, the same for equal keys.
///
/// It looks random, but is not uniform over all permutations: a key has 64 bits.
/// Source:  Black and Rogaway, Ciphers with arbitrary finite domains, CT-RSA 2002: a Feistel
///          network over the next power of 4, walked on until a number below n comes.
class KeyedPermutation final {
 public:
  /// Errors:  std::invalid_argument if n is 0 or above 2^32.
  KeyedPermutation(std::uint64_t n, const RandomKey& key);

  /// The number at place i, both in [0, n).
  std::uint64_t at(std::uint64_t i) const;
  /// The place of number i.
  std::uint64_t place_of(std::uint64_t i) const;

 private:
  std::uint64_t scrambled(std::uint64_t half, std::size_t round) const;
  std::uint64_t forwards(std::uint64_t x) const;
  std::uint64_t backwards(std::uint64_t x) const;

  std::uint64_t n_;
  unsigned half_bits_ = 1;
  std::vector<std::uint64_t> keys_;  // of the rounds
};

}  // namespace fjord
