#include "fjord/ode/explicit_runge_kutta.hpp"

#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"

namespace fjord::ode {

namespace {

template <class Space>
void make_stages(const Tableau& tableau, Step<Space>& step) {
  const std::size_t stages = tableau.stages();
  if constexpr (requires { step.space.make_stages(tableau.a, tableau.c, step); }) {
    if (step.space.makes_stages(stages)) return step.space.make_stages(tableau.a, tableau.c, step);
  }
  for (std::size_t i = 1; i < stages; ++i) {
    const Vector<Space> y = step.space.combine(
        step.y, tableau.row(i), std::span<const Vector<Space>>(step.stages).first(i));
    step.stages[i] = step.space.slope(tableau.c[i], y);
    if (i + 2 >= stages) step.last_stages[i + 2 - stages] = {y, step.stages[i]};
  }
}

}  // namespace

template <class Space>
void ExplicitRungeKutta::step(Step<Space>& step) const {
  step.stages[0] = step.slope;
  make_stages(tableau_, step);
  if (is_first_same_as_last_) {
    step.y_next = step.last_stages[1].y;
    step.slope_next = step.last_stages[1].slope;
  } else {
    step.y_next = step.space.combine(
        step.y, tableau_.b, std::span<const Vector<Space>>(step.stages).first(tableau_.stages()));
  }
  step.error = {tableau_.error, tableau_.second_error};
}

template <class Space>
Vector<Space> ExplicitRungeKutta::state_between(Step<Space>& step, double part) const {
  if (tableau_.dense_order == 0) return hermite(step, part);
  const std::size_t stages = tableau_.stages();
  const std::size_t all = stages + tableau_.extra_stages();
  // Once a step, however often it is asked for.
  for (std::size_t i = stages; i < all && Space::is_empty(step.stages[i]); ++i) {
    const std::span<const Vector<Space>> before =
        std::span<const Vector<Space>>(step.stages).first(i);
    const Vector<Space> y = step.space.combine(step.y, tableau_.dense_row(i - stages), before);
    step.stages[i] = step.space.slope(tableau_.dense_c[i - stages], y);
  }
  std::array<double, max_stages> weights;
  for (std::size_t i = 0; i < all; ++i) {
    const std::span<const double> powers = tableau_.dense_weight(i);
    weights[i] = 0;
    for (std::size_t k = powers.size(); k-- > 0;) weights[i] = (weights[i] + powers[k]) * part;
  }
  return step.space.combine(step.y, std::span(weights).first(all),
                            std::span<const Vector<Space>>(step.stages).first(all));
}

template void ExplicitRungeKutta::step(Step<NodeSpace<float>>&) const;
template void ExplicitRungeKutta::step(Step<NodeSpace<double>>&) const;
template void ExplicitRungeKutta::step(Step<PlainSpace>&) const;
template Var<float> ExplicitRungeKutta::state_between(Step<NodeSpace<float>>&, double) const;
template Var<double> ExplicitRungeKutta::state_between(Step<NodeSpace<double>>&, double) const;
template double* ExplicitRungeKutta::state_between(Step<PlainSpace>&, double) const;

}  // namespace fjord::ode
