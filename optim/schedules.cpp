#include "fjord/optim/schedules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {
namespace {

void check_count(std::string_view op, const char* field, std::uint64_t count) {
  require(count > 0, op, [&] { return std::string(field) + " must be positive, got 0"; });
}

// From `from` at part 0 to `to` at part 1.
double half_cosine(double from, double to, double part) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

std::unique_ptr<Schedule> make_constant(std::uint64_t) {
  return std::make_unique<ConstantSchedule>();
}

std::unique_ptr<Schedule> make_step(std::uint64_t steps) {
  const std::uint64_t third = steps / 3 + (steps % 3 == 0 ? 0 : 1);
  return std::make_unique<StepSchedule>(StepScheduleOptions{.every = third});
}

std::unique_ptr<Schedule> make_exponential(std::uint64_t steps) {
  constexpr double end = 0.01;
  const double decay = std::pow(end, 1 / static_cast<double>(steps));
  return std::make_unique<ExponentialSchedule>(ExponentialScheduleOptions{.decay = decay});
}

std::unique_ptr<Schedule> make_cosine(std::uint64_t steps) {
  return std::make_unique<CosineSchedule>(CosineScheduleOptions{.steps = steps});
}

std::unique_ptr<Schedule> make_one_cycle(std::uint64_t steps) {
  return std::make_unique<OneCycleSchedule>(OneCycleScheduleOptions{.steps = steps});
}

}  // namespace

double ConstantSchedule::factor(std::uint64_t /*step*/) const {
  return 1;
}

StepSchedule::StepSchedule(const StepScheduleOptions& options) : options_(options) {
  check_count("step_schedule", "every", options.every);
  check_fraction("step_schedule", "drop", options.drop);
}

double StepSchedule::factor(std::uint64_t step) const {
  const std::uint64_t drops = step / options_.every;
  return std::pow(options_.drop, static_cast<double>(drops));
}

ExponentialSchedule::ExponentialSchedule(const ExponentialScheduleOptions& options)
    : options_(options) {
  check_fraction("exponential_schedule", "decay", options.decay);
}

double ExponentialSchedule::factor(std::uint64_t step) const {
  return std::pow(options_.decay, static_cast<double>(step));
}

CosineSchedule::CosineSchedule(const CosineScheduleOptions& options) : options_(options) {
  check_count("cosine_schedule", "steps", options.steps);
  check_decay("cosine_schedule", "end", options.end);
}

double CosineSchedule::factor(std::uint64_t step) const {
  if (step >= options_.steps) return options_.end;
  return half_cosine(1, options_.end,
                     static_cast<double>(step) / static_cast<double>(options_.steps));
}

OneCycleSchedule::OneCycleSchedule(const OneCycleScheduleOptions& options) : options_(options) {
  check_count("one_cycle_schedule", "steps", options.steps);
  check_decay("one_cycle_schedule", "rise", options.rise);
  check_fraction("one_cycle_schedule", "start", options.start);
  check_decay("one_cycle_schedule", "end", options.end);
}

double OneCycleSchedule::factor(std::uint64_t step) const {
  if (step >= options_.steps) return options_.end;
  const double part = static_cast<double>(step) / static_cast<double>(options_.steps);
  if (part < options_.rise) return half_cosine(options_.start, 1, part / options_.rise);
  return half_cosine(1, options_.end, (part - options_.rise) / (1 - options_.rise));
}

WarmUpSchedule::WarmUpSchedule(const WarmUpScheduleOptions& options,
                               std::shared_ptr<const Schedule> after)
    : options_(options), after_(std::move(after)) {
  check_count("warm_up_schedule", "steps", options.steps);
  require(after_ != nullptr, "warm_up_schedule", "the schedule that follows is null");
}

double WarmUpSchedule::factor(std::uint64_t step) const {
  if (step >= options_.steps) return after_->factor(step - options_.steps);
  return after_->factor(0) * static_cast<double>(step + 1) / static_cast<double>(options_.steps);
}

std::span<const NamedSchedule> schedules() {
  static constexpr auto all = std::to_array<NamedSchedule>({{"constant", make_constant},
                                                            {"step", make_step},
                                                            {"exponential", make_exponential},
                                                            {"cosine", make_cosine},
                                                            {"one_cycle", make_one_cycle}});
  return all;
}

std::unique_ptr<Schedule> schedule_named(std::string_view name, std::uint64_t steps) {
  const auto all = schedules();
  const auto found = std::ranges::find(all, name, &NamedSchedule::name);
  require(found != all.end(), "schedule_named", [&] {
    std::string names;
    for (const NamedSchedule& one : all)
      names += (names.empty() ? "" : ", ") + std::string(one.name);
    return "schedule must be one of " + names + ", got " + std::string(name);
  });
  check_count("schedule_named", "steps", steps);
  return found->make(steps);
}

}  // namespace fjord::optim
