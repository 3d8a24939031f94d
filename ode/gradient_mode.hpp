/// How derivatives flow through a solve.
#pragma once

#include <span>
#include <string_view>

#include "fjord/ode/options.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

/// A way to solve a problem so that sweeps run through the result: a constant object, which solves
/// share.
class GradientMode {
 public:
  constexpr virtual ~GradientMode() = default;

  virtual std::string_view name() const = 0;

  /// Whether there are derivatives; sweeps through a solve without them are errors.
  virtual bool has_derivatives() const { return true; }

  /// Whether the field is called after the solve, by sweeps: it is copied then, and must own what
  /// it needs or refer to what outlives the recording.
  virtual bool keeps_field() const { return true; }

  /// Errors:  as `solve`.
  virtual Solution<float> solve(const Problem<float>& problem,
                                const SolveOptions& options) const = 0;
  virtual Solution<double> solve(const Problem<double>& problem,
                                 const SolveOptions& options) const = 0;

 protected:
  constexpr GradientMode() = default;
  GradientMode(const GradientMode&) = default;
  GradientMode& operator=(const GradientMode&) = default;
};

/// Has both functions `solve` call the derived class's template `solve_as`.
template <class Derived>
class GradientModeOf : public GradientMode {
 public:
  Solution<float> solve(const Problem<float>& problem, const SolveOptions& options) const final {
    return self().solve_as(problem, options);
  }

  Solution<double> solve(const Problem<double>& problem, const SolveOptions& options) const final {
    return self().solve_as(problem, options);
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

/// Every gradient mode of the library, with its default options.
std::span<const GradientMode* const> gradient_modes();

/// The gradient mode of that name.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none.
const GradientMode& gradient_mode_named(std::string_view name);

}  // namespace fjord::ode
