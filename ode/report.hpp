/// How a solve went.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace fjord::ode {

/// A number as messages show it: nine digits.
std::string short_number(double number);

/// How a solve ended.
enum class Status {
  success,              ///< t1 was reached
  event,                ///< a terminal event ended it
  stopped,              ///< the caller's function ended it
  max_steps,            ///< the limit of steps was reached before t1
  stiff,                ///< so it was, and the field's stiffness keeps the steps short
  step_too_small,       ///< no step that still moves t met the tolerances
  tolerances_too_fine,  ///< no step can meet them: numbers of this precision round off more
  non_finite,           ///< the field or the state became infinite or NaN
  not_solved,           ///< the equations of an implicit step were not solved
  event_undefined,      ///< an event's function is NaN, so that its zeros cannot be found
  irreversible,         ///< a solve backwards did not come back to where the first one began
};

/// What a solve did, and how it ended.
struct Report {
  Status status = Status::success;
  double t = 0;                 ///< where it ended: t1 on success
  std::size_t evaluations = 0;  ///< calls of the field, the probe for the first step included
  std::size_t accepted = 0;
  std::size_t rejected = 0;
  /// The length, > 0, of the step that would be tried next, were t1 further on; absent if no step
  /// was tried, steps are given, or rows have steps of their own.
  std::optional<double> next_step = std::nullopt;
  /// Bytes that the tape grew by in `solve`: see Tape::used_bytes. What modes keep outside of it,
  /// such as the states of interpolating, is not among them.
  std::size_t tape_bytes = 0;
  /// Read by sweep_evaluations; null if sweeps do not call the field.
  std::shared_ptr<const std::size_t> calls_in_sweeps = nullptr;

  /// Calls of the field by all sweeps through the solve so far: of backward solves, of steps that
  /// are made again, and for the derivatives in the times. It grows with every sweep, in every copy
  /// of the report.
  std::size_t sweep_evaluations() const {
    return calls_in_sweeps == nullptr ? 0 : *calls_in_sweeps;
  }

  /// What happened, where, and after how many steps.
  std::string outcome() const;
  /// What to do about it, in terms of SolveOptions; empty on success.
  std::string remedy() const;
  /// Outcome and remedy in one sentence.
  std::string message() const;
};

/// Thrown by callers of `solve` that cannot go on without its result; what() says where, why, and
/// what to do.
class SolveFailure final : public std::runtime_error {
 public:
  explicit SolveFailure(const Report& report) : SolveFailure(report.outcome(), report) {}

  /// The same failure, seen from further out: `where` and a colon are put in front.
  SolveFailure(const std::string& where, const SolveFailure& inner)
      : SolveFailure(where + ": " + inner.outcome_, inner.report_) {}

  /// The same failure, told by another process: its outcome() and its report().
  SolveFailure(const std::string& outcome, const Report& report)
      : std::runtime_error(outcome + "; " + report.remedy()), outcome_(outcome), report_(report) {}

  /// Where and why, without a remedy: for programs, whose options have other names.
  const std::string& outcome() const { return outcome_; }

  const Report& report() const { return report_; }

 private:
  std::string outcome_;
  Report report_;
};

}  // namespace fjord::ode
