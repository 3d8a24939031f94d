#include "fjord/ode/stiffness.hpp"

#include <algorithm>
#include <cmath>

namespace fjord::ode {
namespace {

template <class T>
double largest_difference(const T* a, const T* b, Index size) {
  double largest = 0;
  for (Index i = 0; i < size; ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

template <class T>
double largest(const T* x, Index size) {
  double result = 0;
  for (Index i = 0; i < size; ++i) result = std::max(result, std::abs(static_cast<double>(x[i])));
  return result;
}

}  // namespace

template <class T>
bool is_stiff(const SolveOptions& options, double h, const StateAndSlope<T>& a,
              const StateAndSlope<T>& b) {
  const Index size = a.y.size;
  const double states = largest_difference(a.y.data, b.y.data, size);
  if (states == 0) return false;
  const double eigenvalue = largest_difference(a.slope, b.slope, size) / states;
  // Explicit methods are stable for h times an eigenvalue from -3 or so on.
  if (std::abs(h) * eigenvalue < 1.5) return false;
  const double slope = largest(b.slope, size);
  const double state = largest(b.y.data, size);
  return slope < 0.1 * eigenvalue * state ||
         std::abs(h) * slope < 10 * (options.atol + options.rtol * state);
}

#define FJORD_INSTANTIATE(T)                                                   \
  template bool is_stiff(const SolveOptions&, double, const StateAndSlope<T>&, \
                         const StateAndSlope<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
