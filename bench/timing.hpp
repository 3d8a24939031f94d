/// Times of benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace fjord::bench {

/// How long one run takes.
template <class F>
double seconds_of(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The shortest of several runs: what the code costs where nobody else uses the core.
template <class F>
double shortest_seconds(int runs, F f) {
  double best = 1e300;
  for (int i = 0; i < runs; ++i) best = std::min(best, seconds_of(f));
  return best;
}

/// The median of several runs, as other systems are timed.
template <class F>
double median_seconds(int runs, F f) {
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(runs));
  for (int i = 0; i < runs; ++i) times.push_back(seconds_of(f));
  const auto middle = times.begin() + runs / 2;
  std::ranges::nth_element(times, middle);
  return *middle;
}

}  // namespace fjord::bench
