/// Times of benchmarks.
#pragma once

#include <algorithm>
#include <chrono>

namespace fjord::bench {

/// The shortest of several runs: what the code costs where nobody else uses the core.
template <class F>
double shortest_seconds(int runs, F f) {
  double best = 1e300;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace fjord::bench
