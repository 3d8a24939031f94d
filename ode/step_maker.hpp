/// Steps that are made again.
#pragma once

#include "fjord/ode/node_space.hpp"

namespace fjord::ode {

/// Makes steps of one solve from lists of what goes from one step to the next: y, the slope if the
/// method needs it, and what the method hands on.
template <class T>
class StepMaker final {
 public:
  /// Note:    The method must outlive the object.
  StepMaker(const Field<T>& f, const TimeVars<T>& times, const Method& method)
      : f_(f), times_(times), method_(&method) {}

  /// The list after a step from that before it, recorded.
  Vars<T> make(const StepPlan& plan, const Vars<T>& before) const;

  /// The list before a step from that after it, with what it handed on: see Method::undo.
  Vars<T> undo(const StepPlan& plan, const Vars<T>& after) const;

 private:
  Field<T> f_;
  TimeVars<T> times_;
  const Method* method_;
};

}  // namespace fjord::ode
