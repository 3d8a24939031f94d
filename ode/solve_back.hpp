/// The adjoint's second solve, from t1 back to t0, held to the states of the first one.
#pragma once

#include "fjord/autodiff/tensor.hpp"
#include "fjord/ode/run.hpp"

namespace fjord::ode {

/// A state that a solve went through.
template <class T>
struct Checkpoint {
  double t;
  Tensor<T> y;
};

/// Some of the states that a solve went through, evenly spread over its steps: never more than a
/// fixed number, however many steps there are.
template <class T>
class Checkpoints final : public StepObserver<NodeSpace<T>> {
 public:
  std::optional<EarlyEnd<NodeSpace<T>>> after(const AcceptedStep<NodeSpace<T>>& accepted) override;

  /// In the order of the solve.
  const std::vector<Checkpoint<T>>& list() const { return list_; }

  std::size_t stride() const { return stride_; }

 private:
  static constexpr std::size_t most = 16;

  std::vector<Checkpoint<T>> list_;
  std::size_t stride_ = 1;
  std::size_t steps_ = 0;
};

/// What is to be solved backwards.
template <class T>
struct BackProblem {
  const Field<T>& f;       ///< of the state
  const Field<T>& packed;  ///< of state, adjoint and integrals together, a list whose begin is y
  TimeSpan span;           ///< of the first solve
  const SolveOptions& forward;        ///< options of the first solve
  const SolveOptions& backward;       ///< and of this one
  const Checkpoints<T>& checkpoints;  ///< of the first solve
};

template <class T>
struct Backsolved {
  Var<T> packed;               ///< at t0, a leaf
  std::vector<double> resets;  ///< times, from t1 to t0, at which the state was set anew
};

/// Carries `packed` from t1 back to t0, as values.
///
/// The state that it carries along drifts from the first solve's where the field contracts. Where
/// it is far off at the end of a part of the span, that part is solved again from the checkpoint
/// where it began; if that does not help, in halves: with the state of a checkpoint in the middle,
/// where there is one, then with the states in the middle and at the end solved for anew.
///
/// Errors:  SolveFailure if a part fails for another reason, or however short it is.
template <class T>
Backsolved<T> solve_back(const BackProblem<T>& problem, const Var<T>& y0, const Var<T>& packed);

/// `packed` with y as its begin.
template <class T>
Var<T> with_state(const Var<T>& packed, const Var<T>& y);

}  // namespace fjord::ode
