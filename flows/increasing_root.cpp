#include "fjord/flows/increasing_root.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {
namespace {

// Bisection alone needs no more than a number has exponents and digits.
constexpr int most_steps = 1200;

// What is known of one root.
template <class T>
struct Search {
  T low;
  T high;
  T x;
  T last_move = std::numeric_limits<T>::infinity();
  bool ended = false;

  // Takes map(x) - y and the slope there, until the search has ended.
  void update(T error, T slope) {
    if (ended) return;
    ended = std::isnan(error);
    if (ended) {
      x = error;
      return;
    }
    (error > 0 ? high : low) = x;
    const T newton = error / slope;
    ended = error == 0 || std::abs(newton) <= 2 * std::numeric_limits<T>::epsilon() * std::abs(x);
    if (error == 0) return;
    T next = x - newton;
    // Halves the bounds where Newton's steps leave them, or get shorter too slowly.
    if (!ended && (!(next > low && next < high) || std::abs(newton) > last_move / 2)) {
      next = low + (high - low) / 2;
      ended = next == low || next == high;
    }
    last_move = std::abs(next - x);
    x = next;
  }
};

// Bounds: from map(0) on, the map rises by least_slope |x| at least.
template <class T>
Search<T> start(T y, T at_zero, T least_slope) {
  const T reach = std::abs(y - at_zero) / least_slope * T(1.01) + std::numeric_limits<T>::min();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  if (!std::isfinite(reach)) return {nan, nan, nan};
  return y > at_zero ? Search<T>{0, reach, 0} : Search<T>{-reach, 0, 0};
}

// Moves all searches once, from the map at their places; returns whether all have ended.
template <class T>
bool step_all(const IncreasingMap<T>& map, const Var<T>& y, std::span<Search<T>> searches,
              bool first, T least_slope) {
  Tape<T>& tape = y.tape();
  const RewindScope<T> scope(tape);
  T* places = tape.new_values(static_cast<Index>(searches.size()));
  std::ranges::transform(searches, places, [](const Search<T>& s) { return s.x; });
  const WithLogSlope<T> at = map(tape.borrow(tape.node(y.index()).shape, places));
  const T* target = y.value().data();
  const T* value = at.value.value().data();
  const T* log_slope = at.log_slope.value().data();
  bool ended = true;
  for (std::size_t i = 0; i < searches.size(); ++i) {
    if (first) searches[i] = start(target[i], value[i], least_slope);
    searches[i].update(value[i] - target[i], std::exp(log_slope[i]));
    ended = ended && searches[i].ended;
  }
  return ended;
}

}  // namespace

// Two recorded steps of Newton's method from the root give it its derivatives: its Taylor series is
// wrong from the first order on where it is a constant, and each step doubles that order.
template <class T>
Var<T> increasing_root(const IncreasingMap<T>& map, const Var<T>& y, double least_slope) {
  Tape<T>& tape = y.tape();
  const NodeShape shape = tape.node(y.index()).shape;
  auto* memory = tape.template new_records<Search<T>>(static_cast<std::size_t>(shape.size));
  const std::span<Search<T>> searches(memory, static_cast<std::size_t>(shape.size));
  std::ranges::fill(searches, Search<T>{0, 0, 0});
  const T least = static_cast<T>(least_slope);
  for (int step = 0; step < most_steps; ++step) {
    if (step_all(map, y, searches, step == 0, least)) break;
  }
  T* roots = tape.new_values(shape.size);
  std::ranges::transform(searches, roots, [](const Search<T>& s) {
    return s.ended ? s.x : std::numeric_limits<T>::quiet_NaN();
  });
  Var<T> x = tape.borrow(shape, roots);
  for (int step = 0; step < 2; ++step) {
    const WithLogSlope<T> at = map(x);
    x = x - (at.value - y) * exp(-at.log_slope);
  }
  return x;
}

template Var<float> increasing_root(const IncreasingMap<float>&, const Var<float>&, double);
template Var<double> increasing_root(const IncreasingMap<double>&, const Var<double>&, double);

}  // namespace fjord::flows
