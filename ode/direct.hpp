/// Derivatives through the recorded steps, and none.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// Records the accepted steps on the tape, so that sweeps of every order run through them: the
/// derivatives are those of the numbers that were computed. Step lengths are constants to the
/// sweeps.
///
/// Note:    Memory grows with the steps.
class Direct final : public GradientModeOf<Direct> {
 public:
  std::string_view name() const override { return "direct"; }

  std::string_view summary() const override { return "the recorded steps"; }

  std::string_view memory() const override { return "n steps"; }

  bool keeps_field() const override { return false; }

  bool gives_outputs() const override { return true; }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;
};

/// Keeps the states only: memory does not grow with the steps. A sweep through the solution throws
/// std::invalid_argument, which says what to do.
class ValuesOnly final : public GradientModeOf<ValuesOnly> {
 public:
  /// `advice`: what to do in place of asking for a derivative; outlives the tape.
  constexpr explicit ValuesOnly(
      const char* advice =
          "give SolveOptions::gradient, or the Context of a flow, a mode that "
          "has derivatives, such as direct")
      : advice_(advice) {}

  std::string_view name() const override { return "values_only"; }

  std::string_view summary() const override { return "none: sweeps are errors"; }

  std::string_view memory() const override { return "one state"; }

  bool has_derivatives() const override { return false; }

  bool keeps_field() const override { return false; }

  bool gives_outputs() const override { return true; }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;

 private:
  const char* advice_;
};

}  // namespace fjord::ode
