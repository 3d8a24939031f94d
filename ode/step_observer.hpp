/// What watches a solve: outputs, events, gradient modes.
#pragma once

#include <optional>

#include "fjord/ode/method.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::ode {

/// A step that was accepted, before what it computed is forgotten.
template <class Space>
struct AcceptedStep {
  Step<Space>& step;
  const Method& method;
  double t;
  double t_next;  ///< where it ends, or where the solve does within it

  /// The state at a time within the step.
  ode::Vector<Space> at(double time) const {
    return time == t_next_of_step ? step.y_next
                                  : method.between(step, (time - t) / (t_next_of_step - t));
  }

  /// Has the step compute what `at` needs, so that what is recorded after it can be rewound.
  void prepare() const { method.between(step, 0.5); }

  double t_next_of_step = t_next;
};

/// Where, why and with which state a solve ends before its time.
template <class Space>
struct EarlyEnd {
  Status status;
  double t;
  ode::Vector<Space> y;
};

/// Watches a solve: is shown every accepted step, in the order of the solve.
template <class Space>
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  /// Returns where the solve is to end within the step, if it is.
  virtual std::optional<EarlyEnd<Space>> after(const AcceptedStep<Space>& accepted) = 0;
};

}  // namespace fjord::ode
