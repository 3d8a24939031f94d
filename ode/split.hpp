/// Geometric methods for states of two halves, positions and velocities.
#pragma once

#include "fjord/ode/method.hpp"

namespace fjord::ode {

/// Moves the halves by turns: for mechanics, where the slope of the positions depends on the
/// velocities only, and that of the velocities on the positions and the time. Volume and, but for a
/// bounded error, energy are kept.
///
/// Shapes:  the state's last axis holds the positions, then as many velocities; on plain memory the
///          whole state does.
/// Note:    Each move evaluates the field, of which it uses one half. Methods of orders above 2 go
///          back and forth in time: they ask for times up to 0.36 of a step before and after it.
class SplitMethod final : public MethodOf<SplitMethod> {
 public:
  /// Takes the fractions of a step by which velocities and positions move: kick 1, drift 1, kick 2,
  /// drift 2, ...
  constexpr SplitMethod(std::string_view name, int order, std::span<const double> moves)
      : name_(name), order_(order), moves_(moves) {}

  std::string_view name() const override { return name_; }

  std::string_view kind() const override { return "geometric"; }

  int order() const override { return order_; }

  int error_order() const override { return 0; }

  bool needs_slope() const override { return false; }

  bool moves_halves() const override { return true; }

  bool leaves_step() const override;

  /// See Method::make.
  ///
  /// Errors:  std::invalid_argument if the last axis has no two halves.
  template <class Space>
  void step(Step<Space>& step) const;

  /// See Method::undo; only where the slopes are of the kind that the class is for.
  template <class Space>
  void step_back(Step<Space>& step) const;

 private:
  std::string_view name_;
  int order_;
  std::span<const double> moves_;
};

}  // namespace fjord::ode
