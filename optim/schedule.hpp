/// The interface of schedules.
#pragma once

#include <cstdint>

namespace fjord::optim {

/// How the rate of an optimiser changes in the course of training:
/// `optimizer.step(gradient, schedule.factor(optimizer.steps()))`.
class Schedule {
 public:
  virtual ~Schedule() = default;

  /// What the rate is multiplied with after `step` steps: that of the first step is factor(0).
  virtual double factor(std::uint64_t step) const = 0;

 protected:
  Schedule() = default;
  Schedule(const Schedule&) = default;
  Schedule& operator=(const Schedule&) = default;
};

}  // namespace fjord::optim
