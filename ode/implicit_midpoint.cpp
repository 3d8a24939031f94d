#include "fjord/ode/implicit_midpoint.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/ode/methods.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"

namespace fjord::ode {
namespace {

constexpr int most_iterations = 10;

// Newton's steps with a constant matrix that end every step, and are all that sweeps see of it. The
// first starts from a constant and has the first derivatives of the solution, as far as the matrix
// is right; each further one adds an order of derivatives, and squares, cubes, ... the errors that
// the matrix, of differences, leaves in the lower ones.
constexpr int recorded_iterations = 3;

constexpr std::array half{0.5};

// Whether x and y agree in half of their digits: another of Newton's steps would double these.
template <class T>
bool agree(const Entries<T>& x, const Entries<T>& y) {
  T difference = 0;
  T size = 0;
  for (Index i = 0; i < y.size; ++i) {
    difference = std::max(difference, std::abs(y.data[i] - x.data[i]));
    size = std::max(size, std::abs(y.data[i]));
  }
  return is_finite(y) && difference <= std::sqrt(std::numeric_limits<T>::epsilon()) * size;
}

// The solution y of y = y_start + h/2 f(t + h/2, y), as a constant; empty if Newton's method does
// not converge, and if the field is not finite to begin with, which ends the step as not finite.
template <class Space>
Vector<Space> find_middle(Step<Space>& step) {
  Space& space = step.space;
  const typename Space::Mark before = space.mark();
  Vector<Space> y = step.y;
  for (int i = 0; i < most_iterations; ++i) {
    const Vector<Space> slope = space.slope(0.5, y);
    if (i == 0 && !is_finite(space.entries(slope))) {
      step.y_next = slope;
      return {};
    }
    if (!space.linearize(0.5, 0.5, y, slope)) return {};
    const Vector<Space> last = y;
    y = space.correct(last, space.combine(step.y, half, std::array{slope}));
    if (agree(space.entries(last), space.entries(y))) return space.settle(before, y);
  }
  return {};
}

}  // namespace

template <class Space>
void ImplicitMidpoint::step(Step<Space>& step) const {
  Space& space = step.space;
  Vector<Space> middle = find_middle(step);
  if (Space::is_empty(middle)) {
    step.is_solved = !Space::is_empty(step.y_next);
    return;
  }
  for (int i = 0; i < recorded_iterations; ++i) {
    const Vector<Space> slope = space.slope(0.5, middle);
    middle = space.correct(middle, space.combine(step.y, half, std::array{slope}));
  }
  step.y_next = space.move(step.y, 2, step.y, middle);
}

template void ImplicitMidpoint::step(Step<NodeSpace<float>>&) const;
template void ImplicitMidpoint::step(Step<NodeSpace<double>>&) const;
template void ImplicitMidpoint::step(Step<PlainSpace>&) const;

constinit const ImplicitMidpoint implicit_midpoint;

}  // namespace fjord::ode
