/// Initial value problems, solved with steps that adapt to the error.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "fjord/autodiff/tape.hpp"
#include "fjord/ode/tableau.hpp"

namespace fjord::ode {

/// The right-hand side f(t, y) of dy/dt = f(t, y), recorded on the tape of y.
///
/// Shapes:  t a scalar; y of any shape, and the result of the same.
template <class T>
using Field = std::function<Var<T>(const Var<T>& t, const Var<T>& y)>;

/// From t0 to t1; t1 < t0 integrates backwards.
struct TimeSpan {
  double t0 = 0;
  double t1 = 1;
};

/// How the errors of all entries become the one number that step control looks at.
enum class ErrorNorm {
  rms,          ///< the root of the mean square over all entries
  largest_row,  ///< the largest of the rows' root mean squares, a row being an index of axis 0: no
                ///< row is less accurate in company than on its own
};

struct SolveOptions {
  double rtol = 1e-6;               ///< error allowed relative to an entry of y, >= 0
  double atol = 1e-6;               ///< error allowed in an entry that is zero, > 0
  ErrorNorm norm = ErrorNorm::rms;  ///< of the error of a step
  /// Length of the first step, > 0; chosen by Hairer's rule if absent.
  std::optional<double> first_step = std::nullopt;
  std::size_t max_steps = 10'000;           ///< attempted steps, rejected ones included, > 0
  const Tableau* method = &dormand_prince;  ///< never null
};

/// How a solve ended.
enum class Status {
  success,
  max_steps,            ///< the limit of steps was reached before t1
  stiff,                ///< so it was, and the field's stiffness keeps the steps short
  step_too_small,       ///< no step that still moves t met the tolerances
  tolerances_too_fine,  ///< no step can meet them: numbers of this precision round off more
  non_finite,           ///< the field or the state became infinite or NaN
  irreversible,         ///< a solve backwards did not come back to where the first one began
};

/// What a solve did, and how it ended.
struct Report {
  Status status = Status::success;
  double t = 0;                 ///< where it ended: t1 on success
  std::size_t evaluations = 0;  ///< calls of the field, the probe for the first step included
  std::size_t accepted = 0;
  std::size_t rejected = 0;

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

  /// Where and why, without a remedy: for programs, whose options have other names.
  const std::string& outcome() const { return outcome_; }

  const Report& report() const { return report_; }

 private:
  SolveFailure(const std::string& outcome, const Report& report)
      : std::runtime_error(outcome + "; " + report.remedy()), outcome_(outcome), report_(report) {}

  std::string outcome_;
  Report report_;
};

template <class T>
struct Solution {
  Var<T> y;  ///< the state at report.t
  Report report;
};

/// Solves dy/dt = f(t, y), recording the accepted steps on the tape of y0, so that sweeps run
/// through them.
///
/// Units:   the error of a step is options.norm of the estimate divided by
///          atol + rtol max(|y before|, |y after|), and must be <= 1. Step lengths are constants to
///          the sweeps.
/// Errors:  std::invalid_argument if an option is out of its range, f is empty, a time is not
///          finite, or f changes the shape. Numerical trouble is not an error: see Report::status.
/// Note:    f is never asked for a time outside of the span; the last stage is at t1 itself.
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.4.
template <class T>
Solution<T> solve(const Field<T>& f, const Var<T>& y0, TimeSpan span,
                  const SolveOptions& options = {});

/// As above with times that derivatives are taken in: the last step is t1 minus all others.
///
/// Shapes:  t0 and t1 scalars on the tape of y0.
template <class T>
Solution<T> solve(const Field<T>& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                  const SolveOptions& options = {});

/// As `solve`, but keeps only the state: the memory does not grow with the steps, and the result
/// has no derivatives.
///
/// Errors:  as `solve`; a sweep through the result throws std::invalid_argument, which says what to
///          do: `advice`, a text that outlives the tape.
template <class T>
Solution<T> solve_values(const Field<T>& f, const Var<T>& y0, TimeSpan span,
                         const SolveOptions& options = {},
                         const char* advice = "use solve or solve_adjoint");

/// A function that a Field<T> can be made of, such as a lambda.
template <class F, class T>
concept FieldFunction = !std::is_same_v<F, Field<T>> && std::is_convertible_v<const F&, Field<T>>;

/// The same with any function as the field.
template <class T, FieldFunction<T> F>
Solution<T> solve(const F& f, const Var<T>& y0, TimeSpan span, const SolveOptions& options = {}) {
  return solve(Field<T>(f), y0, span, options);
}

template <class T, FieldFunction<T> F>
Solution<T> solve(const F& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                  const SolveOptions& options = {}) {
  return solve(Field<T>(f), y0, t0, t1, options);
}

template <class T, FieldFunction<T> F>
Solution<T> solve_values(const F& f, const Var<T>& y0, TimeSpan span,
                         const SolveOptions& options = {}) {
  return solve_values(Field<T>(f), y0, span, options);
}

}  // namespace fjord::ode
