/// How derivatives flow through a solve.
#pragma once

#include <span>
#include <string_view>

#include "fjord/ode/options.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

/// Whether more is asked for than the state at the end.
template <class T>
bool has_outputs(const Problem<T>& problem, const SolveOptions& options);

/// A way to solve a problem so that sweeps run through the result: a constant object, which solves
/// share.
class GradientMode {
 public:
  constexpr virtual ~GradientMode() = default;

  virtual std::string_view name() const = 0;

  /// Where derivatives come from, in one line.
  virtual std::string_view summary() const = 0;

  /// What a solve and its reverse sweep keep, for n steps.
  virtual std::string_view memory() const = 0;

  /// Whether there are derivatives; sweeps through a solve without them are errors.
  virtual bool has_derivatives() const { return true; }

  /// Whether the field is called after the solve, by sweeps: it is copied then, and must own what
  /// it needs or refer to what outlives the recording.
  virtual bool keeps_field() const { return true; }

  /// Whether it can be used with steps of that method.
  virtual bool suits(const Method&) const { return true; }

  /// Whether its solve finds events, saves states and calls functions after steps; a mode that does
  /// not is asked for parts of a solve: see solve_in_parts.
  virtual bool gives_outputs() const { return false; }

  /// Errors:  as `solve`; std::invalid_argument if outputs are asked for that it does not give.
  virtual Solution<float> solve(const Problem<float>& problem,
                                const SolveOptions& options) const = 0;
  virtual Solution<double> solve(const Problem<double>& problem,
                                 const SolveOptions& options) const = 0;

 protected:
  constexpr GradientMode() = default;
  void check_has_no_outputs(bool has_outputs) const;

  /// Errors:  std::invalid_argument if the steps move the halves of a state, and this mode solves
  ///          for more than the state.
  void check_moves_no_halves(const Method* method) const;
  GradientMode(const GradientMode&) = default;
  GradientMode& operator=(const GradientMode&) = default;
};

/// Has both functions `solve` call the derived class's template `solve_as`.
template <class Derived>
class GradientModeOf : public GradientMode {
 public:
  Solution<float> solve(const Problem<float>& problem, const SolveOptions& options) const final {
    return checked_solve(problem, options);
  }

  Solution<double> solve(const Problem<double>& problem, const SolveOptions& options) const final {
    return checked_solve(problem, options);
  }

 private:
  template <class T>
  Solution<T> checked_solve(const Problem<T>& problem, const SolveOptions& options) const {
    if (!this->gives_outputs()) check_has_no_outputs(has_outputs(problem, options));
    return self().solve_as(problem, options);
  }

  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

/// Every gradient mode of the library, with its default options.
std::span<const GradientMode* const> gradient_modes();

/// The gradient mode of that name.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none.
const GradientMode& gradient_mode_named(std::string_view name);

}  // namespace fjord::ode
