/// What the tests of gradient modes share.
#pragma once

#include <cmath>
#include <vector>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::test {

using Number = Var<double>;

inline const ode::Checkpointed few_snapshots(3);
inline const ode::Backsolve with_seminorm({.seminorm = true});

/// Every way to have derivatives.
inline std::vector<const ode::GradientMode*> modes() {
  std::vector<const ode::GradientMode*> all{&few_snapshots, &with_seminorm};
  for (const ode::GradientMode* mode : ode::gradient_modes()) {
    if (mode->has_derivatives()) all.push_back(mode);
  }
  return all;
}

/// Of tight tolerances or short steps, with a method that suits the mode.
inline ode::SolveOptions options_of(const ode::GradientMode& mode, double fixed_step) {
  ode::SolveOptions options = tolerances(1e-10, 1e-10);
  options.gradient = &mode;
  options.max_steps = 100'000;
  if (!mode.suits(*options.method)) {
    options.method = &ode::reversible_dormand_prince;
    options.fixed_step = fixed_step;
    // Of the state that comes back.
    options.rtol = options.atol = 1e-8;
  }
  return options;
}

/// y' = a y (1 - y): y(t) = 1 / (1 + c), c = (1 / y0 - 1) exp(a (t0 - t)).
struct Logistic {
  double y0, t0, t1, a;

  double c() const { return (1 / y0 - 1) * std::exp(a * (t0 - t1)); }

  double y() const { return 1 / (1 + c()); }

  /// In y0, t0, t1 and a.
  std::vector<double> gradient() const {
    const double in_c = -y() * y();
    return {-in_c * std::exp(a * (t0 - t1)) / (y0 * y0), in_c * a * c(), -in_c * a * c(),
            in_c * (t0 - t1) * c()};
  }
};

/// Entry i of a list, as a list.
inline Number part(const Number& x, Index i) {
  return slice(x, 0, i, i + 1);
}

/// The sum of the end's entries, weighed by 1, 2, ... in memory.
inline Number loss_of(const Number& y) {
  Tensor<double> weights(y.value());
  for (Index i = 0; i < weights.size(); ++i) weights.data()[i] = 1.0 + static_cast<double>(i);
  return sum(y * y.tape().input(weights));
}

}  // namespace fjord::test
