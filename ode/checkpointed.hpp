/// Derivatives through steps that sweeps make once more instead of keeping them.
#pragma once

#include "fjord/ode/gradient_mode.hpp"

namespace fjord::ode {

/// Keeps states on the tape, not steps: sweeps of every order make each step again, to the same
/// bits, and run through it. The derivatives are those of Direct.
///
/// Without a number of snapshots all states are kept, and every step is made twice. With one, no
/// more than so many at a time: a first solve finds the steps, whose states are then kept and made
/// again in the order that needs the fewest steps for so many snapshots.
///
/// Errors:  as `solve`; std::invalid_argument if snapshots is 0.
/// Source:  Griewank & Walther, Algorithm 799: Revolve, ACM Trans. Math. Softw. 26 (2000).
class Checkpointed final : public GradientModeOf<Checkpointed> {
 public:
  constexpr explicit Checkpointed(std::optional<std::size_t> snapshots = std::nullopt)
      : snapshots_(snapshots) {}

  std::string_view name() const override { return "checkpointed"; }

  std::string_view summary() const override { return "steps that sweeps make again"; }

  std::string_view memory() const override {
    return "n states and slopes, or as many as its snapshots, and one step";
  }

  /// See GradientMode::solve.
  template <class T>
  Solution<T> solve_as(const Problem<T>& problem, const SolveOptions& options) const;

 private:
  std::optional<std::size_t> snapshots_;
};

/// How many of `steps` steps to make before the first of `snapshots` snapshots is kept, so that the
/// fewest steps are made in all: the binomial rule.
///
/// Shapes:  1 <= result < steps, for steps >= 2 and snapshots >= 1.
std::size_t first_snapshot(std::size_t steps, std::size_t snapshots);

}  // namespace fjord::ode
