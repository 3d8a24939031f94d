/// Solves that are one operation on the tape: what the gradient modes without recorded steps share.
#pragma once

#include <map>
#include <memory>

#include "fjord/autodiff/operation.hpp"
#include "fjord/ode/run.hpp"

namespace fjord::ode {

/// Inputs of such an operation: y0, t0, t1, then whatever else was seen to be used.
namespace solve_input {

inline constexpr std::uint32_t y0 = 0;
inline constexpr std::uint32_t t0 = 1;
inline constexpr std::uint32_t t1 = 2;
inline constexpr std::uint32_t first_captured = 3;

}  // namespace solve_input

/// A solve of values, and what its result is a function of.
template <class T>
struct WatchedSolve {
  Solution<T> values;
  Vars<T> inputs;  ///< as solve_input says
};

/// Solves for values and sees what the problem's functions use.
///
/// Errors:  as `solve`.
template <class T>
WatchedSolve<T> solve_watched(const Problem<T>& problem, const SolveOptions& options,
                              std::span<NodeObserver<T>* const> observers = {});

/// Why a result has no derivative, and what to do; both texts must outlive the tape.
struct Refusal {
  const char* reason;
  const char* advice;
};

/// The numbers of a leaf as a function of what they were computed from, whose derivatives are
/// errors: std::invalid_argument.
template <class T>
Var<T> without_derivative(const Var<T>& leaf, const Vars<T>& inputs, const Refusal& refusal);

/// What a mode gives where the solve did not succeed.
template <class T>
Solution<T> failed(const WatchedSolve<T>& solve);

/// The nodes that a problem's functions use at the beginning of a solve; parameters that they bind
/// are bound after.
template <class T>
Vars<T> captured_at_start(const Problem<T>& problem);

/// Options of `solve` for a state of other entries: without those that are about single entries.
SolveOptions for_other_state(const SolveOptions& options);

/// What sweeps need of every such solve; modes derive from it.
template <class T>
struct KeptSolve {
  Field<T> f;
  /// The operation's inputs as they were when it was appended.
  std::vector<std::uint32_t> inputs = {};
};

/// Nodes that are read in place of others, of the same values.
template <class T>
class StandIns final {
 public:
  StandIns(const Vars<T>& others, const Vars<T>& stand_ins);

  /// Has the nodes from `first` on read the stand-ins; a result that is one of the others becomes a
  /// new node.
  void put_in(std::size_t first, Vars<T>& results) const;

 private:
  std::map<std::uint32_t, Var<T>> by_place_;
};

/// Fresh nodes of the same values: sweeps to them do not walk over what was recorded before.
template <class T>
Vars<T> fresh(const Vars<T>& vars);

/// The inputs of a rule in place of the nodes that the solve captured: they differ where the
/// operation is made again, as in checkpoints.
template <class T>
StandIns<T> stand_ins_of(const RuleNode<T>& rule, const KeptSolve<T>& kept);

/// The field of such a solve, for a rule of its operation.
template <class T>
Field<T> field_of(const RuleNode<T>& rule, const KeptSolve<T>& kept);

/// Appends the operation whose value is that of a solve; its attributes are a pointer to `kept`,
/// which lives as long as the node.
template <class T, class Kept>
Solution<T> append_solve(const Operation<T>& row, const WatchedSolve<T>& solve,
                         const std::shared_ptr<Kept>& kept) {
  Tape<T>& tape = solve.values.y.tape();
  for (const Var<T>& input : solve.inputs) kept->inputs.push_back(input.index());
  tape.own(kept);
  const Node<T> end = tape.node(solve.values.y.index());
  const auto [y1, value] = append_operation<T>(tape, row, std::span<const Var<T>>(solve.inputs),
                                               end.shape, tape.keep(kept.get()));
  std::copy_n(end.value, end.shape.size, value);
  return {y1, solve.values.report};
}

/// What append_solve kept with a node.
template <class Kept, class T>
Kept& kept_with(const RuleNode<T>& rule) {
  return **static_cast<Kept* const*>(rule.node().attributes);
}

/// Places of the captured inputs for which is_active(place).
template <class Rule, class IsActive>
std::vector<std::uint32_t> active_captured(const Rule& rule, IsActive is_active) {
  std::vector<std::uint32_t> active;
  for (std::uint32_t i = solve_input::first_captured; i < rule.input_count(); ++i) {
    if (is_active(i)) active.push_back(i);
  }
  return active;
}

/// A derivative that was computed by operators: none of its zeros is masked, which -0 would say.
template <class T>
Var<T> computed(const Var<T>& derivative);

/// The power of two by which a cotangent is multiplied before the solve of its adjoint, so that the
/// absolute tolerance is to the adjoint what it is to the state: its largest entry is then near 1
/// or, where atol is above rtol, near the state's largest entry, but not above atol / rtol. So
/// gradients are as accurate for the mean of many rows as for their sum. 1 if the cotangent is zero
/// or not finite.
template <class T>
T adjoint_scale(const Reverse<T>& rule, const SolveOptions& options);

/// The state of a solve that succeeded.
///
/// Errors:  SolveFailure, "the `which` solve failed", if it did not.
template <class T>
Var<T> solved(const Solution<T>& solution, const char* which);

/// Adds g^T dy1/dt1 and -a0^T f(t0, y0), where they are asked for: the cotangents of the times.
template <class T>
void add_times(Reverse<T>& rule, const Field<T>& f, const Var<T>& a0);

/// Has the recorded reverse rule compute in nodes that are forgotten again, as a kernel.
template <class T, class Pull>
void pull_values(ReverseKernel<T>& kernel, Pull pull) {
  Tape<T>& tape = kernel.tape();
  const typename Tape<T>::Mark mark = tape.mark();
  Reverse<T> rule(tape, kernel.head());
  kernel.ask(rule);
  pull(rule);
  kernel.add_from(rule);
  tape.rewind(mark);
}

/// The rules that a mode with derivatives of first order, in reverse sweeps, does not have.
template <class T>
struct FirstOrderOnly {
  static void pullback(Reverse<T>& rule) { refuse(rule.node().op->name); }

  static bool pushforward(Forward<T>& rule) { refuse(rule.node().op->name); }

  /// Errors:  std::invalid_argument, always.
  [[noreturn]] static void refuse(const char* operation);
};

/// The slope of a state y, and its pullback of the adjoint a.
template <class T>
struct AdjointSlopes {
  Var<T> slope;
  Vars<T> cotangents;  ///< a^T df/dy, then a^T df/dp for each parameter
};

/// Shapes:  a as y.
template <class T>
AdjointSlopes<T> adjoint_slopes(const Field<T>& f, const Var<T>& t, const Var<T>& y,
                                const Var<T>& a, const Vars<T>& parameters);

/// The slope at {t, y} and its tangent, along the directions of t, y and the parameters.
///
/// Shapes:  as `pushforward`.
template <class T>
Vars<T> slope_and_tangent(const Field<T>& f, const Vars<T>& t_y, const Vars<T>& parameters,
                          const Vars<T>& directions);

}  // namespace fjord::ode
