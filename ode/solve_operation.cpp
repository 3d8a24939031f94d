#include "fjord/ode/solve_operation.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/ode/captured.hpp"

namespace fjord::ode {

namespace {

// A result as a function of all that it was computed from.
template <class T>
struct Refusing {
  [[noreturn]] static void refuse(const RuleNode<T>& rule) {
    const auto& [reason, advice] = rule.template attributes<Refusal>();
    fail("solve", std::string(reason) + "; " + advice);
  }

  static void pullback(Reverse<T>& rule) { refuse(rule); }

  static bool pushforward(Forward<T>& rule) { refuse(rule); }

  static void pullback_values(ReverseKernel<T>& kernel) { refuse(kernel); }

  static constexpr Operation<T> row{"solve", pullback, pushforward, pullback_values};
};

}  // namespace

template <class T>
Var<T> without_derivative(const Var<T>& leaf, const Vars<T>& inputs, const Refusal& refusal) {
  Tape<T>& tape = leaf.tape();
  const Node<T> node = tape.node(leaf.index());
  const auto [y, numbers] = append_operation<T>(
      tape, Refusing<T>::row, std::span<const Var<T>>(inputs), node.shape, tape.keep(refusal));
  std::copy_n(node.value, node.shape.size, numbers);
  return y;
}

template <class T>
Solution<T> failed(const WatchedSolve<T>& solve) {
  Solution<T> result = solve.values;
  result.y = without_derivative(result.y, solve.inputs,
                                {"this solve did not succeed, so that its end has no derivative",
                                 "look at Report::status before"});
  return result;
}

namespace {

// The first evaluation of a function bound parameters.
struct BindsParameters {};

template <class T>
void watch(const Problem<T>& problem, const SolveOptions& options,
           std::span<NodeObserver<T>* const> observers, WatchedSolve<T>& result) {
  const auto& [f, y0, span, times, events, on_step, output] = problem;
  Tape<T>& tape = y0.tape();
  // Functions get their state and time as nodes of the solve: whatever is older, they captured.
  Captured<T> captured(tape);
  const std::size_t bound = tape.bound_count();
  const auto watched = [&](const Field<T>& function) -> Field<T> {
    if (!function) return {};
    return [&, is_first = true](const Var<T>& t, const Var<T>& y) mutable {
      const Var<T> there = captured.evaluate(function, t, y);
      if (tape.bound_count() != bound && is_first) throw BindsParameters();
      require(tape.bound_count() == bound, "solve",
              "the field binds a parameter that it did not use at first; bind it before the solve");
      is_first = false;
      return there;
    };
  };
  const Field<T> watched_f = watched(f);
  Problem<T> seen{watched_f, y0, span, {}, events, on_step, watched(output)};
  for (std::size_t i = 0; i < events.size(); ++i)
    seen.events[i].function = watched(events[i].function);
  result.values = run(seen, options, Recording::none, observers);
  result.inputs.insert(result.inputs.end(), captured.vars().begin(), captured.vars().end());
}

}  // namespace

template <class T>
WatchedSolve<T> solve_watched(const Problem<T>& problem, const SolveOptions& options,
                              std::span<NodeObserver<T>* const> observers) {
  require(problem.f != nullptr, "solve", "a field is needed, got an empty function");
  Tape<T>& tape = problem.y0.tape();
  tape.node(problem.y0, "solve");
  WatchedSolve<T> result;
  result.inputs = {problem.y0, problem.times.t0, problem.times.t1};
  if (problem.times.t0.is_empty()) {
    result.inputs[solve_input::t0] = tape.scalar(static_cast<T>(problem.span.t0));
    result.inputs[solve_input::t1] = tape.scalar(static_cast<T>(problem.span.t1));
  }
  for (const Var<T>& input : result.inputs) tape.node(input, "solve");
  try {
    watch(problem, options, observers, result);
  } catch (const BindsParameters&) {
    // Leaves of parameters that the field binds itself must be older than the solve.
    captured_at_start(problem);
    watch(problem, options, observers, result);
  }
  return result;
}

template <class T>
Vars<T> captured_at_start(const Problem<T>& problem) {
  Tape<T>& tape = problem.y0.tape();
  Captured<T> captured(tape);
  const typename Tape<T>::Mark mark = tape.mark();
  const auto evaluate = [&](const Field<T>& function) {
    if (!function) return;
    captured.evaluate(function, tape.scalar(static_cast<T>(problem.span.t0)), identity(problem.y0));
  };
  evaluate(problem.f);
  evaluate(problem.output);
  for (const Event<T>& event : problem.events) evaluate(event.function);
  Vars<T> vars = captured.vars();
  const Vars<T> bound = tape.rewind_but_bound(mark);
  vars.insert(vars.end(), bound.begin(), bound.end());
  return vars;
}

SolveOptions for_other_state(const SolveOptions& options) {
  SolveOptions result = options;
  if (result.norm == ErrorNorm::largest_row) result.norm = ErrorNorm::rms;
  result.rtol_of_entries = result.atol_of_entries = {};
  result.custom_norm = {};
  return result;
}

template <class T>
StandIns<T>::StandIns(const Vars<T>& others, const Vars<T>& stand_ins) {
  for (std::size_t i = 0; i < others.size(); ++i)
    by_place_.emplace(others[i].index(), stand_ins[i]);
}

template <class T>
void StandIns<T>::put_in(std::size_t first, Vars<T>& results) const {
  if (by_place_.empty()) return;
  for (Var<T>& result : results) result = identity(result);
  std::vector<std::uint32_t> from;
  Vars<T> to;
  for (const auto& [place, stand_in] : by_place_) {
    from.push_back(place);
    to.push_back(stand_in);
  }
  const auto begin = static_cast<std::uint32_t>(first);
  // Returns whether it found nothing else from before: a field may read constants, too.
  to.front().tape().redirect(begin, begin, from, to);
}

template <class T>
Vars<T> fresh(const Vars<T>& vars) {
  Vars<T> result;
  result.reserve(vars.size());
  for (const Var<T>& var : vars) result.push_back(identity(var));
  return result;
}

template <class T>
StandIns<T> stand_ins_of(const RuleNode<T>& rule, const KeptSolve<T>& kept) {
  Vars<T> captured;
  Vars<T> now;
  for (std::uint32_t i = solve_input::t0; i < rule.input_count(); ++i) {
    if (rule.node().inputs[i] == kept.inputs[i]) continue;
    captured.push_back(rule.tape().var(kept.inputs[i]));
    now.push_back(rule.tape().var(rule.node().inputs[i]));
  }
  return {captured, now};
}

template <class T>
Field<T> field_of(const RuleNode<T>& rule, const KeptSolve<T>& kept) {
  return [f = kept.f, stand_ins = stand_ins_of(rule, kept)](const Var<T>& t, const Var<T>& y) {
    const std::size_t first = y.tape().size();
    Vars<T> slope{f(t, y)};
    stand_ins.put_in(first, slope);
    return slope[0];
  };
}

template <class T>
Var<T> computed(const Var<T>& derivative) {
  return derivative + T(0);
}

template <class T>
Var<T> solved(const Solution<T>& solution, const char* which) {
  if (solution.report.status != Status::success) {
    throw SolveFailure(std::string("the ") + which + " solve failed",
                       SolveFailure(solution.report));
  }
  return solution.y;
}

template <class T>
T adjoint_scale(const Reverse<T>& rule, const SolveOptions& options) {
  const auto largest = [&](const Var<T>& x) {
    const Node<T>& node = rule.tape().node(x, "solve");
    double size = 0;
    for (Index i = 0; i < node.shape.size; ++i) {
      const double entry = std::abs(static_cast<double>(node.value[i]));
      if (!(entry <= size)) size = entry;
    }
    return size;
  };
  const double size = largest(rule.cotangent());
  if (size == 0 || !std::isfinite(size)) return 1;
  const double state = std::max(largest(rule.input(solve_input::y0)), largest(rule.output()));
  const double wanted = std::max(1.0, std::min(state, options.atol / options.rtol));
  // Neither the scale nor one over it may overflow.
  return std::ldexp(T(1), std::clamp(std::ilogb(wanted) - std::ilogb(size), -100, 100));
}

template <class T>
void add_times(Reverse<T>& rule, const Field<T>& f, const Var<T>& a0) {
  using namespace solve_input;
  if (rule.wants(t1))
    rule.add(t1, computed(sum(rule.cotangent() * f(rule.input(t1), rule.output()))));
  if (rule.wants(t0)) rule.add(t0, computed(-sum(a0 * f(rule.input(t0), rule.input(y0)))));
}

template <class T>
void FirstOrderOnly<T>::refuse(const char* operation) {
  fail("solve", std::string(operation) +
                    " has reverse sweeps of values only; for recorded and forward sweeps give "
                    "SolveOptions::gradient the mode direct, checkpointed, adjoint or forward");
}

namespace {

// A slope as a function of fresh nodes: of the time, so that nothing flows through it to a
// parameter, of the state, and of the parameters.
template <class T>
struct FreshSlope {
  FreshSlope(const Field<T>& f, const Var<T>& t, const Var<T>& y, const Vars<T>& parameters)
      : inputs(fresh<T>({t, y})) {
    const Vars<T> own = fresh(parameters);
    const std::size_t first = y.tape().size();
    Vars<T> result{f(inputs[0], inputs[1])};
    StandIns<T>(parameters, own).put_in(first, result);
    slope = result[0];
    inputs.insert(inputs.end(), own.begin(), own.end());
  }

  Vars<T> inputs;
  Var<T> slope;
};

}  // namespace

template <class T>
AdjointSlopes<T> adjoint_slopes(const Field<T>& f, const Var<T>& t, const Var<T>& y,
                                const Var<T>& a, const Vars<T>& parameters) {
  const FreshSlope<T> fresh_slope(f, t, y, parameters);
  Vars<T> cotangents = partial_pullback<T>({fresh_slope.slope}, {a}, fresh_slope.inputs);
  cotangents.erase(cotangents.begin());
  return {fresh_slope.slope, std::move(cotangents)};
}

template <class T>
Vars<T> slope_and_tangent(const Field<T>& f, const Vars<T>& t_y, const Vars<T>& parameters,
                          const Vars<T>& directions) {
  const FreshSlope<T> fresh_slope(f, t_y[0], t_y[1], parameters);
  const Var<T>& slope = fresh_slope.slope;
  return {slope, pushforward<T>(fresh_slope.inputs, directions, {slope})[0]};
}

#define FJORD_INSTANTIATE(T)                                                              \
  template WatchedSolve<T> solve_watched(const Problem<T>&, const SolveOptions&,          \
                                         std::span<NodeObserver<T>* const>);              \
  template Vars<T> captured_at_start(const Problem<T>&);                                  \
  template Field<T> field_of(const RuleNode<T>&, const KeptSolve<T>&);                    \
  template Var<T> without_derivative(const Var<T>&, const Vars<T>&, const Refusal&);      \
  template Solution<T> failed(const WatchedSolve<T>&);                                    \
  template Vars<T> fresh(const Vars<T>&);                                                 \
  template StandIns<T> stand_ins_of(const RuleNode<T>&, const KeptSolve<T>&);             \
  template class StandIns<T>;                                                             \
  template Var<T> computed(const Var<T>&);                                                \
  template T adjoint_scale(const Reverse<T>&, const SolveOptions&);                       \
  template Var<T> solved(const Solution<T>&, const char*);                                \
  template void add_times(Reverse<T>&, const Field<T>&, const Var<T>&);                   \
  template struct FirstOrderOnly<T>;                                                      \
  template AdjointSlopes<T> adjoint_slopes(const Field<T>&, const Var<T>&, const Var<T>&, \
                                           const Var<T>&, const Vars<T>&);                \
  template Vars<T> slope_and_tangent(const Field<T>&, const Vars<T>&, const Vars<T>&,     \
                                     const Vars<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
