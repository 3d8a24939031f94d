/// The implicit midpoint rule.
#pragma once

#include "fjord/ode/method.hpp"

namespace fjord::ode {

/// Order 2, no error estimate: y_next = y + h f(t + h/2, (y + y_next) / 2), solved by Newton's
/// method. A-stable, so that stiff fields need no short steps; symplectic and symmetric.
///
/// Note:    A step whose iteration does not converge ends the solve with Status::not_solved.
///          Derivatives up to the third order are right to rounding errors, or to the square root
///          of them in the third.
///          For states of up to some hundred entries, those of all rows of a batch together: see
///          NewtonMatrix.
/// Source:  Hairer, Lubich & Wanner, Geometric Numerical Integration, 2nd ed., sec. II.1.
class ImplicitMidpoint final : public MethodOf<ImplicitMidpoint> {
 public:
  std::string_view name() const override { return "implicit_midpoint"; }

  std::string_view kind() const override { return "implicit, geometric"; }

  int order() const override { return 2; }

  int error_order() const override { return 0; }

  bool needs_slope() const override { return false; }

  /// See Method::make.
  template <class Space>
  void step(Step<Space>& step) const;
};

}  // namespace fjord::ode
