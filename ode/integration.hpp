/// The loop of every solve.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>

#include "fjord/ode/error_norm.hpp"
#include "fjord/ode/field.hpp"
#include "fjord/ode/report.hpp"
#include "fjord/ode/starting_step.hpp"
#include "fjord/ode/step_length.hpp"
#include "fjord/ode/step_observer.hpp"
#include "fjord/ode/stiffness.hpp"
#include "fjord/ode/stops.hpp"

namespace fjord::ode {

/// A solve under way: the state, the slope there, and the step to try next. Knows no method,
/// controller or kind of state by name.
template <class Space>
class Integration final {
 public:
  using Number = typename Space::Number;
  using Vector = ode::Vector<Space>;

  /// Note:    The options must have been checked: see check_options.
  Integration(Space& space, const Vector& y0, TimeSpan span, const SolveOptions& options,
              std::span<StepObserver<Space>* const> observers = {})
      : space_(space),
        span_(span),
        options_(options),
        method_(*options.method),
        stops_(span, options),
        length_(options, method_.error_order()),
        observers_(observers),
        y_(y0) {
    report_.t = span.t0;
  }

  /// Where t0 = t1, states that move with the times need a step of no length.
  void run(bool moves_with_times = false) {
    space_.keep(std::array{&y_});
    if (span_.t0 != span_.t1) {
      integrate();
      if (!stops_.are_fixed()) report_.next_step = length_.next();
    } else if (moves_with_times) {
      stand_still();
    }
    report_.evaluations = space_.evaluations();
  }

  const Vector& y() const { return y_; }

  const Report& report() const { return report_; }

 private:
  void integrate() {
    if (!is_finite(space_.entries(y_)) || !find_slope()) return stop(Status::non_finite);
    if (is_start_too_coarse()) return stop(Status::tolerances_too_fine);
    if (!stops_.are_fixed()) choose_first_step();
    while (report_.t != span_.t1 && report_.status == Status::success) {
      if (steps_left() == 0) return stop(status_at_limit());
      if (length_.has_vanished(report_.t)) return stop(status_of_short_step());
      t_next_ = length_.aim(stops_, report_.t);
      const typename Space::Mark before = space_.mark();
      Step<Space> step = take_step();
      squared_error_ = squared_error_of(step);
      if (stops_.are_fixed() ? std::isfinite(squared_error_) : squared_error_ <= 1) {
        accept(step);
      } else {
        if (stops_.are_fixed()) return stop(status_of_failed_step());
        space_.rewind(before);
        length_.reject(squared_error_);
        ++report_.rejected;
        if (are_tolerances_too_fine() && is_rounding_too_coarse())
          return stop(Status::tolerances_too_fine);
      }
    }
  }

  // A step of no length: the state is what it was, but moves with the times.
  void stand_still() {
    if (!is_finite(space_.entries(y_)) || !find_slope()) return stop(Status::non_finite);
    t_next_ = span_.t1;
    Step<Space> step = take_step();
    if (!std::isfinite(squared_error_of(step))) return stop(status_of_failed_step());
    accept(step);
  }

  // Returns whether it is finite; where no step reads it, it is not computed.
  bool find_slope() {
    if (!method_.needs_slope()) return true;
    slope_ = space_.slope_at(stops_.template field_time_after<Number>(report_.t), y_);
    return is_finite(space_.entries(slope_));
  }

  void choose_first_step() {
    if (options_.first_step) {
      length_.begin(std::copysign(*options_.first_step, span_.t1 - span_.t0));
      return;
    }
    const double stop = stops_.next(span_.t0);
    const double length = std::abs(stop - span_.t0);
    const double start = stops_.template field_time_after<Number>(span_.t0);
    const typename Space::Mark before = space_.mark();
    const Vector slope = method_.needs_slope() ? slope_ : space_.slope_at(start, y_);
    const auto slope_change = [&](double h) {
      // t0 plus the length may be beyond the stop by a rounding.
      const double t = h < length ? span_.t0 + std::copysign(h, span_.t1 - span_.t0) : stop;
      space_.begin_step({span_.t0, t, start, stops_.template field_time_before<Number>(t), false});
      constexpr std::array once{1.0};
      const Vector there = space_.slope(1, space_.combine(y_, once, std::array{slope}));
      constexpr std::array difference{1.0, -1.0};
      const std::array numbers{space_.numbers(there), space_.numbers(slope)};
      return std::sqrt(squared_error_norm<Number>(options_, {1, difference, numbers},
                                                  space_.entries(y_), space_.numbers(y_)));
    };
    const double state_norm = scaled_norm(options_, space_.numbers(y_), space_.entries(y_));
    const double slope_norm = scaled_norm(options_, space_.numbers(slope), space_.entries(y_));
    // By reference: a function object that held the lambda would allocate.
    const double step = starting_step(state_norm, slope_norm, method_.error_order(), length,
                                      std::cref(slope_change));
    space_.rewind(before);
    length_.begin(std::copysign(step, span_.t1 - span_.t0));
  }

  std::size_t steps_left() const {
    return options_.max_steps - report_.accepted - report_.rejected;
  }

  Status status_of_failed_step() const {
    return is_solved_ ? Status::non_finite : Status::not_solved;
  }

  Status status_at_limit() const {
    if (!std::isfinite(squared_error_)) return status_of_failed_step();
    if (are_tolerances_too_fine()) return Status::tolerances_too_fine;
    return watched_steps_ >= least_watched && 2 * stiff_steps_ > watched_steps_ ? Status::stiff
                                                                                : Status::max_steps;
  }

  Status status_of_short_step() const {
    if (!std::isfinite(squared_error_)) return status_of_failed_step();
    return are_tolerances_too_fine() ? Status::tolerances_too_fine : Status::step_too_small;
  }

  double state_norm() const {
    return scaled_norm(options_, space_.numbers(y_), space_.entries(y_));
  }

  // Whether the rounding errors of the state are larger than the errors allowed, which fields that
  // are smooth enough can be solved with all the same.
  bool are_tolerances_too_fine() const {
    return !stops_.are_fixed() && rounding * state_norm() > 1;
  }

  // Whether the tolerances are below a quarter of the rounding of the first state, so that none can
  // be kept. Those next to it are tried: the error of a step is often less than its rounding.
  bool is_start_too_coarse() const {
    return !stops_.are_fixed() && 0.25 * rounding * state_norm() > 1;
  }

  // Whether steps so short that the error of one is allowed, were it only a hundredth of its
  // rounding, are too many.
  bool is_rounding_too_coarse() const {
    if (!method_.needs_slope()) return false;
    const double length = std::abs(span_.t1 - report_.t);
    return rounding * length * scaled_norm(options_, space_.numbers(slope_), space_.entries(y_)) >
           100 * static_cast<double>(options_.max_steps);
  }

  // Near the limit of steps, notes whether the field's stiffness keeps them short.
  void watch_stiffness(const Step<Space>& step) {
    if (steps_left() > watched_at_end || !method_.shows_stiffness()) return;
    ++watched_steps_;
    const auto stage = [&](std::size_t i) -> StateAndSlope<Number> {
      return {space_.entries(step.last_stages[i].y), space_.numbers(step.last_stages[i].slope)};
    };
    stiff_steps_ += is_stiff<Number>(options_, length_.h(), stage(0), stage(1));
  }

  Step<Space> take_step() {
    StepPlan plan{{report_.t, t_next_, stops_.template field_time_after<Number>(report_.t),
                   stops_.template field_time_before<Number>(t_next_), t_next_ == span_.t1}};
    plan.h_last = h_last_;
    plan.ends_at_jump = stops_.is_jump(t_next_);
    plan.next_field_t = stops_.template field_time_after<Number>(t_next_);
    const Vector* const before[]{&y_, &slope_, &carry_[0], &carry_[1], &carry_[2], &carry_[3]};
    space_.open(method_, plan, before);
    space_.begin_step(plan.times);
    Step<Space> step{.space = space_,
                     .h = length_.h(),
                     .h_last = h_last_,
                     .stretches = space_.stretches(),
                     .y = y_,
                     .slope = slope_,
                     .carry = carry_};
    method_.make(step);
    is_solved_ = step.is_solved;
    return step;
  }

  // Infinite or NaN where a number is, or the step was not solved.
  double squared_error_of(const Step<Space>& step) const {
    if (!is_solved_) return std::numeric_limits<double>::infinity();
    const double square = squared_norm_of(step, step.error.weights);
    if (step.error.second.empty() || square == 0) return square;
    // Neither of them, which may be the largest number, is multiplied by the other.
    return square / (1 + 0.01 * (squared_norm_of(step, step.error.second) / square));
  }

  // Without weights 0, or NaN where the state is not finite.
  double squared_norm_of(const Step<Space>& step, std::span<const double> weights) const {
    if (weights.empty()) {
      return is_finite(space_.entries(step.y_next)) ? 0 : std::numeric_limits<double>::quiet_NaN();
    }
    std::array<const Number*, max_stages> stages;
    const Combination<Number> error{
        length_.h(), weights, space_.numbers(std::span(step.stages).first(weights.size()), stages)};
    return squared_error_norm(options_, error, space_.entries(step.y), space_.numbers(step.y_next));
  }

  void accept(Step<Space>& step) {
    watch_stiffness(step);
    ++report_.accepted;
    h_last_ = length_.h();
    AcceptedStep<Space> accepted{step, method_, report_.t, t_next_};
    report_.t = t_next_;
    Vector y_end = step.y_next;
    for (StepObserver<Space>* observer : observers_) {
      const std::optional<EarlyEnd<Space>> end = observer->after(accepted);
      // A terminal event is not later than the end of the step, at which the caller may stop.
      if (!end || report_.status != Status::success) continue;
      stop(end->status);
      report_.t = accepted.t_next = end->t;
      y_end = end->y;
      // The others have seen a state that no step leads away from.
      if (report_.t == accepted.t) break;
    }
    y_ = y_end;
    slope_ = step.slope_next;
    carry_ = step.carry;
    const bool is_over = report_.t == span_.t1 || report_.status != Status::success;
    if (is_over || stops_.is_jump(report_.t)) {
      slope_ = {};
      carry_ = {};
    }
    if (Space::is_empty(slope_) && !is_over) find_slope();
    space_.keep(std::array{&y_, &slope_, &carry_[0], &carry_[1], &carry_[2], &carry_[3]});
    if (!stops_.are_fixed()) length_.accept(squared_error_);
  }

  void stop(Status status) { report_.status = status; }

  static constexpr auto rounding = static_cast<double>(std::numeric_limits<Number>::epsilon());
  // The attempts before the limit that are looked at for stiffness, and how many must have counted.
  static constexpr std::size_t watched_at_end = 40;
  static constexpr std::size_t least_watched = 15;

  Space& space_;
  TimeSpan span_;
  const SolveOptions& options_;
  const Method& method_;
  Stops stops_;
  StepLength length_;
  std::span<StepObserver<Space>* const> observers_;
  Vector y_{};
  Vector slope_{};
  std::array<Vector, max_carry> carry_{};
  double h_last_ = 0;
  double t_next_ = 0;
  double squared_error_ = 0;
  std::size_t watched_steps_ = 0;
  std::size_t stiff_steps_ = 0;
  bool is_solved_ = true;  // the last step
  Report report_;
};

}  // namespace fjord::ode
