/// The independent streams of random numbers that a training run takes from its one seed.
#pragma once

#include <cstdint>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/shape.hpp"

namespace fjord::apps {

/// What random numbers are used for. No two uses share any.
///
/// Note:    Add new ones at the end: the place in this list decides the numbers, and a run that
///          goes on from a checkpoint must find the same ones.
enum class RandomUse : std::uint64_t {
  weights,
  noise,
  shuffling,
  probes,
  samples,
  split,
  mixtures,
  smoothing
};

/// The key of one use in the run of this key.
inline RandomKey key_for(const RandomKey& run, RandomUse use) {
  return run.fold(static_cast<std::uint64_t>(use));
}

/// The key of one use for one of several models that a run trains, counted from 0.
inline RandomKey member_key(const RandomKey& run, RandomUse use, Index member) {
  return key_for(run, use).fold(static_cast<std::uint64_t>(member));
}

}  // namespace fjord::apps
