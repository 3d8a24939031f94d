#include "fjord/ode/step_maker.hpp"

namespace fjord::ode {

template <class T>
Vars<T> StepMaker<T>::make(const StepPlan& plan, const Vars<T>& before) const {
  NodeSpace<T> space(f_, before.front(), times_, Recording::steps);
  space.begin_step(plan.times);
  const double h = plan.times.t_next - plan.times.t;
  Step<NodeSpace<T>> step{.space = space,
                          .h = h,
                          .h_last = plan.h_last,
                          .stretches = space.stretches(),
                          .y = before.front()};
  auto next = before.begin() + 1;
  if (method_->needs_slope())
    step.slope = plan.has_slope ? *next++ : space.slope_at(plan.times.field_t, step.y);
  std::copy(next, before.end(), step.carry.begin());
  method_->make(step);
  Vars<T> after{step.y_next};
  if (plan.times.is_last) return after;
  if (method_->needs_slope()) {
    const bool is_known = !step.slope_next.is_empty() && !plan.ends_at_jump;
    after.push_back(is_known ? step.slope_next : space.slope_at(plan.next_field_t, step.y_next));
  }
  if (plan.ends_at_jump) return after;
  for (const Var<T>& handed_on : step.carry) {
    if (!handed_on.is_empty()) after.push_back(handed_on);
  }
  return after;
}

template <class T>
Vars<T> StepMaker<T>::undo(const StepPlan& plan, const Vars<T>& after) const {
  NodeSpace<T> space(f_, after.front(), times_, Recording::steps);
  space.begin_step(plan.times);
  Step<NodeSpace<T>> step{.space = space,
                          .h = plan.times.t_next - plan.times.t,
                          .h_last = plan.h_last,
                          .y = {},
                          .y_next = after.front()};
  std::copy(after.begin() + 1, after.end(), step.carry.begin());
  method_->undo(step);
  Vars<T> before{step.y};
  for (const Var<T>& handed_on : step.carry) {
    if (!handed_on.is_empty()) before.push_back(handed_on);
  }
  return before;
}

template class StepMaker<float>;
template class StepMaker<double>;

}  // namespace fjord::ode
