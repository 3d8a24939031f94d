/// Random numbers that are functions of a key and an index, with the same bits on every build.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fjord {

/// Replaces the counter by four random words, as Philox4x32-10 does; word 0 of its key is the low
/// half of `key`.
///
/// Source:  Salmon, Moraes, Dror & Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.
void philox4x32(std::span<std::uint32_t, 4> counter, std::uint64_t key);

/// Counter-based random numbers: entry i of a sequence depends only on the key and on i.
///
/// Each distribution has a sequence of its own, of 2^64 entries. T is float or double; the float
/// sequence is the double sequence of the same key with fewer digits, so runs in both precisions
/// see the same noise.
///
/// Note:    Nothing is consumed: the same call gives the same numbers. Fold in what tells two uses
///          apart. Parts of a sequence may be filled in any order, by any thread.
class RandomKey final {
 public:
  /// RandomKey(r.key()) is r again.
  explicit RandomKey(std::uint64_t seed) : key_(seed) {}

  /// An independent generator for this one and n (purpose, epoch, step, row...), as JAX's fold_in.
  RandomKey fold(std::uint64_t n) const;

  std::uint64_t key() const { return key_; }

  /// Fills with entries first, first + 1, ... of the uniform sequence.
  ///
  /// Units:   in [0, 1), multiples of 2^-24 (float) or 2^-53 (double).
  template <class T>
  void uniform(std::span<T> out, std::uint64_t first = 0) const;

  /// Fills with entries of the standard normal sequence, mean 0 and variance 1.
  ///
  /// Units:   |x| < 6.4 (float) or 8.4 (double), what 32 and 54 bits can reach; never 0.
  /// Source:  Wichura, Algorithm AS 241, Applied Statistics 37, 1988 (PPND7 and PPND16).
  template <class T>
  void normal(std::span<T> out, std::uint64_t first = 0) const;

  /// Fills with entries of the sequence of standard normals given |x| <= 2.
  ///
  /// Units:   |x| <= 2, variance 0.7737: 1 before truncation, as in TensorFlow's and Sonnet's
  ///          truncated_normal.
  /// Source:  as normal(); no draw is rejected.
  template <class T>
  void truncated_normal(std::span<T> out, std::uint64_t first = 0) const;

  /// Fills with entries of the sequence of signs, -1 or 1.
  template <class T>
  void rademacher(std::span<T> out, std::uint64_t first = 0) const;

  /// A uniform random permutation of 0 .. n-1.
  ///
  /// Source:  Lemire, Fast random integer generation in an interval, ACM TOMACS 29, 2019 (no bias).
  std::vector<std::uint32_t> permutation(std::uint32_t n) const;

 private:
  std::uint64_t key_;
};

}  // namespace fjord
