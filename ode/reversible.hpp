/// Methods whose steps can be undone exactly: the state before a step follows from that after it.
#pragma once

#include "fjord/ode/explicit_runge_kutta.hpp"

namespace fjord::ode {

/// Reversible Heun: order 2 with an error estimate, one evaluation a step.
///
/// Note:    Hands on the second state and the slope there. Unstable where solutions decay: its
///          steps then become too short.
/// Source:  Kidger, Foster, Li & Lyons, Efficient and accurate gradients for neural SDEs, NeurIPS
///          2021.
class ReversibleHeun final : public MethodOf<ReversibleHeun> {
 public:
  std::string_view name() const override { return "reversible_heun"; }

  std::string_view kind() const override { return "reversible"; }

  int order() const override { return 2; }

  int error_order() const override { return 2; }

  bool needs_slope() const override { return false; }

  /// See Method::make.
  template <class Space>
  void step(Step<Space>& step) const;

  /// See Method::undo.
  template <class Space>
  void step_back(Step<Space>& step) const;
};

/// The reversible form of an explicit method: two coupled states, moved by the method forwards and
/// backwards; of the method's order, without its error estimate.
///
/// Note:    Hands on the second state.
/// Source:  McCallum & Foster, Efficient, accurate and stable gradients for neural ODEs (2024).
class Reversible final : public MethodOf<Reversible> {
 public:
  /// Units:   coupling in (0, 1): how strongly the two states hold together, the less the nearer it
  ///          is to 1.
  /// Note:    The method and the name must outlive the object.
  constexpr Reversible(std::string_view name, const ExplicitRungeKutta& method,
                       double coupling = 0.999)
      : name_(name), method_(method), coupling_(coupling) {}

  std::string_view name() const override { return name_; }

  std::string_view kind() const override { return "reversible"; }

  int order() const override { return method_.order(); }

  int error_order() const override { return 0; }

  bool needs_slope() const override { return false; }

  /// See Method::make.
  template <class Space>
  void step(Step<Space>& step) const;

  /// See Method::undo.
  template <class Space>
  void step_back(Step<Space>& step) const;

 private:
  std::string_view name_;
  const ExplicitRungeKutta& method_;
  double coupling_;
};

}  // namespace fjord::ode
