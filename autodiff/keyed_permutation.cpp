#include "fjord/autodiff/keyed_permutation.hpp"

#include "fjord/autodiff/errors.hpp"

namespace fjord {
namespace {

// The last steps of SplitMix64: every bit of the input changes half of those of the output.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

KeyedPermutation::KeyedPermutation(std::uint64_t n, const RandomKey& key) : n_(n) {
  require(n > 0 && n <= std::uint64_t{1} << 32, "keyed_permutation",
          [&] { return "a length in [1, 2^32] is needed, got " + std::to_string(n); });
  while (std::uint64_t{1} << (2 * half_bits_) < n) ++half_bits_;
  // Functions of few bits mix little.
  const std::size_t rounds = half_bits_ < 5 ? 24 : 8;
  for (std::size_t round = 0; round < rounds; ++round) keys_.push_back(key.fold(round).key());
}

std::uint64_t KeyedPermutation::scrambled(std::uint64_t half, std::size_t round) const {
  return mixed(half + keys_[round]) & ((std::uint64_t{1} << half_bits_) - 1);
}

std::uint64_t KeyedPermutation::forwards(std::uint64_t x) const {
  std::uint64_t left = x >> half_bits_;
  std::uint64_t right = x & ((std::uint64_t{1} << half_bits_) - 1);
  for (std::size_t round = 0; round < keys_.size(); ++round) {
    const std::uint64_t next = left ^ scrambled(right, round);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::uint64_t KeyedPermutation::backwards(std::uint64_t x) const {
  std::uint64_t left = x >> half_bits_;
  std::uint64_t right = x & ((std::uint64_t{1} << half_bits_) - 1);
  for (std::size_t round = keys_.size(); round-- > 0;) {
    const std::uint64_t before = right ^ scrambled(left, round);
    right = left;
    left = before;
  }
  return left << half_bits_ | right;
}

std::uint64_t KeyedPermutation::at(std::uint64_t i) const {
  do i = forwards(i);
  while (i >= n_);
  return i;
}

std::uint64_t KeyedPermutation::place_of(std::uint64_t i) const {
  do i = backwards(i);
  while (i >= n_);
  return i;
}

}  // namespace fjord
