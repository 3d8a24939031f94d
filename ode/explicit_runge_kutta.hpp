/// Explicit Runge-Kutta methods, made of their tables.
#pragma once

#include <algorithm>

#include "fjord/ode/method.hpp"
#include "fjord/ode/tableau.hpp"

namespace fjord::ode {

class ExplicitRungeKutta final : public MethodOf<ExplicitRungeKutta> {
 public:
  /// Note:    The numbers of the table must outlive the method.
  constexpr explicit ExplicitRungeKutta(const Tableau& tableau)
      : tableau_(tableau), is_first_same_as_last_(tableau.is_first_same_as_last()) {}

  std::string_view name() const override { return tableau_.name; }

  std::string_view kind() const override {
    return tableau_.error.empty() ? "explicit" : "explicit, embedded pair";
  }

  int order() const override { return tableau_.order; }

  int error_order() const override {
    if (tableau_.error.empty()) return 0;
    // Two estimates together are of the order of the product of the one's square and the other's
    // inverse.
    return tableau_.second_error.empty() ? std::min(tableau_.order, tableau_.embedded_order) + 1
                                         : tableau_.order;
  }

  int dense_order() const override { return tableau_.dense_order > 0 ? tableau_.dense_order : 3; }

  bool shows_stiffness() const override {
    const std::span<const double> c = tableau_.c;
    return c.size() >= 3 && c[c.size() - 1] == c[c.size() - 2];
  }

  const Tableau& tableau() const { return tableau_; }

  /// See Method::make.
  template <class Space>
  void step(Step<Space>& step) const;

  /// See Method::between.
  template <class Space>
  Vector<Space> state_between(Step<Space>& step, double part) const;

 private:
  Tableau tableau_;
  bool is_first_same_as_last_;
};

}  // namespace fjord::ode
