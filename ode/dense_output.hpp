/// The states of a solve at all times between its ends.
#pragma once

#include <array>
#include <vector>

#include "fjord/ode/node_space.hpp"
#include "fjord/ode/step_observer.hpp"

namespace fjord::ode {

/// Keeps a polynomial for each accepted step: the method's dense output at the Chebyshev points of
/// the second kind, which is exact up to degree 7.
///
/// Note:    Memory: eight states a step.
/// Source:  Berrut & Trefethen, Barycentric Lagrange interpolation, SIAM Review 46 (2004).
template <class T>
class DenseOutput final : public StepObserver<NodeSpace<T>> {
 public:
  std::optional<EarlyEnd<NodeSpace<T>>> after(const AcceptedStep<NodeSpace<T>>& accepted) override;

  /// The state at a time of the solve, as a leaf.
  Var<T> at(Tape<T>& tape, double t) const;

  /// Where the steps begin and end, in the order of the solve.
  const std::vector<TimeSpan>& steps() const { return steps_; }

 private:
  static constexpr std::size_t points = 8;
  static const std::array<double, points>& parts();

  std::vector<TimeSpan> steps_;
  Shape shape_;
  std::vector<T> numbers_;  // states one after another
};

}  // namespace fjord::ode
