/// Schedules that depend on the step only, and the choice of one by its name.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "fjord/optim/schedule.hpp"

namespace fjord::optim {

/// The factor 1.
class ConstantSchedule final : public Schedule {
 public:
  double factor(std::uint64_t step) const override;
};

struct StepScheduleOptions {
  std::uint64_t every = 1;  ///< steps from one drop to the next, > 0
  double drop = 0.1;        ///< what each drop multiplies with, in (0, 1]
};

/// drop^floor(step / every).
class StepSchedule final : public Schedule {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  explicit StepSchedule(const StepScheduleOptions& options);

  double factor(std::uint64_t step) const override;

 private:
  StepScheduleOptions options_;
};

struct ExponentialScheduleOptions {
  double decay = 1;  ///< what each step multiplies with, in (0, 1]
};

/// decay^step.
class ExponentialSchedule final : public Schedule {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  explicit ExponentialSchedule(const ExponentialScheduleOptions& options);

  double factor(std::uint64_t step) const override;

 private:
  ExponentialScheduleOptions options_;
};

struct CosineScheduleOptions {
  std::uint64_t steps = 1;  ///< steps until the end, > 0
  double end = 0;           ///< factor at the end and after it, in [0, 1)
};

/// From 1 to `end` by half a period of the cosine.
///
/// Source:  Loshchilov & Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
///          equation 5, without restarts.
class CosineSchedule final : public Schedule {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  explicit CosineSchedule(const CosineScheduleOptions& options);

  double factor(std::uint64_t step) const override;

 private:
  CosineScheduleOptions options_;
};

struct OneCycleScheduleOptions {
  std::uint64_t steps = 1;  ///< steps until the end, > 0
  double rise = 0.3;        ///< part of the steps before the factor 1 is reached, in [0, 1)
  double start = 1.0 / 25;  ///< factor of the first step, in (0, 1]
  double end = 4e-6;        ///< factor at the end and after it, in [0, 1)
};

/// From `start` to 1 and from there to `end`, by half a period of the cosine each.
///
/// Source:  Smith & Topin, Super-convergence: very fast training of neural networks using large
///          learning rates, 2018; the form and the defaults are those of PyTorch and Optax.
class OneCycleSchedule final : public Schedule {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  explicit OneCycleSchedule(const OneCycleScheduleOptions& options);

  double factor(std::uint64_t step) const override;

 private:
  OneCycleScheduleOptions options_;
};

struct WarmUpScheduleOptions {
  std::uint64_t steps = 1;  ///< steps of the warm-up, > 0
};

/// A linear rise, 1/n, 2/n, ... of n steps to the first factor of another schedule, which follows.
class WarmUpSchedule final : public Schedule {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or `after` is null.
  WarmUpSchedule(const WarmUpScheduleOptions& options, std::shared_ptr<const Schedule> after);

  double factor(std::uint64_t step) const override;

 private:
  WarmUpScheduleOptions options_;
  std::shared_ptr<const Schedule> after_;
};

/// A schedule that can be chosen by name.
struct NamedSchedule {
  std::string_view name;
  /// Makes one for a run of so many steps.
  std::unique_ptr<Schedule> (*make)(std::uint64_t steps);
};

/// Every schedule that a number of steps is enough for: constant; step, with a drop to a tenth
/// after each third of the run; exponential, to a hundredth; cosine; one_cycle.
std::span<const NamedSchedule> schedules();

/// Makes the schedule of that name for a run of `steps` steps.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none; and if steps is 0.
std::unique_ptr<Schedule> schedule_named(std::string_view name, std::uint64_t steps);

}  // namespace fjord::optim
