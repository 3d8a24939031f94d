/// The Adams-Bashforth method of two steps.
#pragma once

#include "fjord/ode/method.hpp"

namespace fjord::ode {

/// Order 2, one evaluation a step, no error estimate; steps may change their length. The first
/// step, one after a jump, and the last one if derivatives are taken in its length, are Heun's.
///
/// Note:    Hands on the last slope.
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. III.1 and III.5.
class AdamsBashforth2 final : public MethodOf<AdamsBashforth2> {
 public:
  std::string_view name() const override { return "adams_bashforth2"; }

  std::string_view kind() const override { return "multistep"; }

  int order() const override { return 2; }

  int error_order() const override { return 0; }

  /// See Method::make.
  template <class Space>
  void step(Step<Space>& step) const;
};

}  // namespace fjord::ode
