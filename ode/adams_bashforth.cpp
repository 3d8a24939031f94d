#include "fjord/ode/adams_bashforth.hpp"

#include "fjord/ode/methods.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"

namespace fjord::ode {

template <class Space>
void AdamsBashforth2::step(Step<Space>& step) const {
  Space& space = step.space;
  Vector<Space> other = step.carry[0];
  std::array<double, 2> weights{0.5, 0.5};
  // The weights below depend on h, in which they have no derivative.
  if (Space::is_empty(other) || step.stretches) {
    constexpr std::array once{1.0};
    other = space.slope(1, space.combine(step.y, once, std::array{step.slope}));
  } else {
    const double ratio = step.h / step.h_last;
    weights = {1 + ratio / 2, -ratio / 2};
  }
  step.y_next = space.combine(step.y, weights, std::array{step.slope, other});
  step.carry = {step.slope};
}

template void AdamsBashforth2::step(Step<NodeSpace<float>>&) const;
template void AdamsBashforth2::step(Step<NodeSpace<double>>&) const;
template void AdamsBashforth2::step(Step<PlainSpace>&) const;

constinit const AdamsBashforth2 adams_bashforth2;

}  // namespace fjord::ode
