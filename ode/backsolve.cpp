#include "fjord/ode/backsolve.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/captured.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/run.hpp"
#include "fjord/ode/solve_back.hpp"

namespace fjord::ode {
namespace {

// Inputs of the operation: y0, t0, t1, then whatever else the field was seen to use.
constexpr std::uint32_t y0_input = 0;
constexpr std::uint32_t t0_input = 1;
constexpr std::uint32_t t1_input = 2;
constexpr std::uint32_t first_captured = 3;

// What sweeps need of a solve.
template <class T>
struct Solved : std::enable_shared_from_this<Solved<T>> {
  Field<T> f;
  TimeSpan span;
  SolveOptions forward;
  SolveOptions backward;
  std::size_t* evaluations = nullptr;
  Checkpoints<T> checkpoints;
};

// Several tensors as one state of rank 1, for the solver.
template <class T>
Var<T> pack(const Vars<T>& parts) {
  Vars<T> flat;
  for (const Var<T>& part : parts) flat.push_back(reshape(part, {part.shape().size()}));
  return concatenate<T>(flat, 0);
}

template <class T>
Vars<T> unpack(const Var<T>& packed, const std::vector<Shape>& shapes) {
  Vars<T> parts;
  Index at = 0;
  for (const Shape& shape : shapes) {
    parts.push_back(reshape(slice(packed, 0, at, at + shape.size()), shape));
    at += shape.size();
  }
  return parts;
}

// A derivative that was computed by operators: none of its zeros is masked, which -0 would say.
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
struct AdjointSolve {
  static const Solved<T>& of(const RuleNode<T>& rule) {
    return **static_cast<const Solved<T>* const*>(rule.node().attributes);
  }

  // Those that the field uses and whose derivative is asked for or given.
  template <class Rule, class IsActive>
  static std::vector<std::uint32_t> active_captured(const Rule& rule, IsActive is_active) {
    std::vector<std::uint32_t> active;
    for (std::uint32_t i = first_captured; i < rule.input_count(); ++i) {
      if (is_active(i)) active.push_back(i);
    }
    return active;
  }

  // The state y, its adjoint a and the integral of a^T df/dp, from t1 back to t0.
  static Field<T> backward_field(const Solved<T>& problem, const Vars<T>& parameters,
                                 const Shape& shape) {
    std::vector<Shape> shapes{shape, shape};
    for (const Var<T>& p : parameters) shapes.push_back(p.shape());
    return [problem = problem.shared_from_this(), parameters, shapes](const Var<T>& t,
                                                                      const Var<T>& packed) {
      const Vars<T> parts = unpack(packed, shapes);
      // The time stands among the inputs only so that nothing flows through it to a parameter.
      Vars<T> inputs{identity(t), identity(parts[0])};
      inputs.insert(inputs.end(), parameters.begin(), parameters.end());
      Vars<T> slopes{problem->f(inputs[0], inputs[1])};
      const Vars<T> cotangents = partial_pullback<T>(slopes, {parts[1]}, inputs);
      for (std::size_t i = 1; i < cotangents.size(); ++i) slopes.push_back(-cotangents[i]);
      return pack(slopes);
    };
  }

  static Backsolved<T> solved_back(const RuleNode<T>& rule, const Var<T>& y0, const Field<T>& field,
                                   const Var<T>& start) {
    const Solved<T>& p = of(rule);
    return solve_back<T>({p.f, field, p.span, p.forward, p.backward, p.checkpoints}, y0, start);
  }

  static Var<T> values_back(const Reverse<T>& rule, const Field<T>& field, const Var<T>& start) {
    const Backsolved<T> back = solved_back(rule, rule.input(y0_input), field, start);
    std::size_t* evaluations = of(rule).evaluations;
    if (evaluations != nullptr) *evaluations += back.evaluations;
    return back.packed;
  }

  // By this mode again, so that memory does not grow in derivatives of higher order either.
  static Solution<T> solve_between(const Solved<T>& problem, const Field<T>& f,
                                   const SolveOptions& options, const Var<T>& y, const Var<T>& from,
                                   const Var<T>& to) {
    const TimeSpan span{static_cast<double>(from.item()), static_cast<double>(to.item())};
    const Backsolve mode({problem.backward, nullptr});
    return mode.solve_as<T>({f, y, span, {from, to}}, within(options, span));
  }

  // Solves between the times at which the state must be set anew: a solve of values finds those.
  static Var<T> recorded_back(const Reverse<T>& rule, const Field<T>& field, const Var<T>& start) {
    Tape<T>& tape = rule.tape();
    const Solved<T>& p = of(rule);
    std::vector<double> resets;
    {
      const RewindScope<T> scope(tape);
      resets = solved_back(rule, rule.input(y0_input), field, start).resets;
    }
    Vars<T> times{rule.input(t0_input)};
    Vars<T> states{rule.input(y0_input)};
    for (std::size_t i = resets.size(); i-- > 0;) {
      times.push_back(tape.scalar(static_cast<T>(resets[i])));
      states.push_back(
          solved(solve_between(p, p.f, p.forward, states.back(), times.rbegin()[1], times.back()),
                 "forward"));
    }
    times.push_back(rule.input(t1_input));
    Var<T> packed = start;
    for (std::size_t i = times.size() - 1; i-- > 0;) {
      packed =
          solved(solve_between(p, field, p.backward, packed, times[i + 1], times[i]), "backward");
      if (i > 0) packed = with_state(packed, states[i]);
    }
    return packed;
  }

  // Both modes: recorded sweeps append a solve that can be swept over in turn, the others take its
  // numbers only.
  static void pull(Reverse<T>& rule, bool records) {
    const Solved<T>& p = of(rule);
    const std::vector<std::uint32_t> wanted =
        active_captured(rule, [&](std::uint32_t i) { return rule.wants(i); });
    Vars<T> parameters;
    for (const std::uint32_t i : wanted) parameters.push_back(rule.input(i));
    const Var<T> y1 = rule.output();
    const Var<T> g = rule.cotangent();
    const Shape shape = y1.shape();
    Vars<T> start{y1, g};
    std::vector<Shape> shapes{shape, shape};
    for (const Var<T>& parameter : parameters) {
      shapes.push_back(parameter.shape());
      start.push_back(broadcast_to(rule.tape().scalar(T(0)), shapes.back()));
    }
    const Field<T> field = backward_field(p, parameters, shape);
    const Var<T> packed =
        records ? recorded_back(rule, field, pack(start)) : values_back(rule, field, pack(start));
    const Vars<T> end = unpack(packed, shapes);
    rule.add(y0_input, computed(end[1]));
    for (std::size_t k = 0; k < wanted.size(); ++k) rule.add(wanted[k], computed(end[2 + k]));
    if (rule.wants(t1_input)) rule.add(t1_input, computed(sum(g * p.f(rule.input(t1_input), y1))));
    if (rule.wants(t0_input)) {
      const Var<T> slope = p.f(rule.input(t0_input), rule.input(y0_input));
      rule.add(t0_input, computed(-sum(end[1] * slope)));
    }
  }

  static void pullback_rule(Reverse<T>& rule) { pull(rule, true); }

  // A state y with a tangent v: dv/dt = df/dy v + df/dp dp, for the parameters that move.
  static Field<T> tangent_field(const Solved<T>& problem, const Vars<T>& moving,
                                const Vars<T>& tangents, const Shape& shape) {
    return [problem = problem.shared_from_this(), moving, tangents, shape](const Var<T>& t,
                                                                           const Var<T>& packed) {
      const Vars<T> parts = unpack<T>(packed, {shape, shape});
      // The time stands among the inputs only so that it stays, whatever it was computed from.
      Vars<T> inputs{identity(t), identity(parts[0])};
      Vars<T> directions{t.tape().scalar(T(0)), parts[1]};
      inputs.insert(inputs.end(), moving.begin(), moving.end());
      directions.insert(directions.end(), tangents.begin(), tangents.end());
      const Var<T> slope = problem->f(inputs[0], inputs[1]);
      return pack<T>({slope, pushforward<T>(inputs, directions, {slope})[0]});
    };
  }

  static bool pushforward_rule(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Solved<T>& p = of(rule);
    const Var<T> y0 = rule.input(y0_input);
    const Shape shape = y0.shape();
    Vars<T> moving;
    Vars<T> tangents;
    for (const std::uint32_t i :
         active_captured(rule, [&](std::uint32_t k) { return !rule.tangent(k).is_empty(); })) {
      moving.push_back(rule.input(i));
      tangents.push_back(rule.tangent(i));
    }
    Var<T> v0 = rule.tangent(y0_input).is_empty() ? broadcast_to(rule.tape().scalar(T(0)), shape)
                                                  : rule.tangent(y0_input);
    if (!rule.tangent(t0_input).is_empty())
      v0 = v0 - p.f(rule.input(t0_input), y0) * rule.tangent(t0_input);
    const Field<T> field = tangent_field(p, moving, tangents, shape);
    const Solution<T> solution = solve_between(p, field, p.backward, pack<T>({y0, v0}),
                                               rule.input(t0_input), rule.input(t1_input));
    Var<T> v1 = unpack<T>(solved(solution, "tangent"), {shape, shape})[1];
    if (!rule.tangent(t1_input).is_empty())
      v1 = v1 + p.f(rule.input(t1_input), rule.output()) * rule.tangent(t1_input);
    rule.set(computed(v1));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    Tape<T>& tape = k.tape();
    const typename Tape<T>::Mark mark = tape.mark();
    Reverse<T> rule(tape, k.head());
    k.ask(rule);
    pull(rule, false);
    k.add_from(rule);
    tape.rewind(mark);
  }

  static constexpr Operation<T> row{"solve_adjoint", pullback_rule, pushforward_rule,
                                    pullback_values};
};

}  // namespace

template <class T>
Solution<T> Backsolve::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  const auto& [f, y0, span, times, events, on_step] = problem;
  require(options.save_at.empty() && !options.save_steps && events.empty() && !on_step, "solve",
          "backsolve keeps no steps to save states or find events in; use direct");
  require(f != nullptr, "solve", "a field is needed, got an empty function");
  Tape<T>& tape = y0.tape();
  tape.node(y0, "solve");
  Vars<T> inputs{y0, times.t0, times.t1};
  if (times.t0.is_empty()) {
    inputs[t0_input] = tape.scalar(static_cast<T>(span.t0));
    inputs[t1_input] = tape.scalar(static_cast<T>(span.t1));
  }
  for (const Var<T>& input : inputs) tape.node(input, "solve");
  // The field gets its state and time as nodes of the solve: whatever older it uses, it captured.
  Captured<T> captured(tape);
  const Field<T> watched = [&, &f = f](const Var<T>& t, const Var<T>& y) {
    return captured.evaluate(f, t, y);
  };
  const auto kept = std::make_shared<Solved<T>>();
  NodeObserver<T>* const observer = &kept->checkpoints;
  Solution<T> values =
      run<T>({watched, y0, span}, options, Recording::none, std::span(&observer, 1));
  if (values.report.status != Status::success) return values;
  inputs.insert(inputs.end(), captured.vars().begin(), captured.vars().end());
  kept->f = f;
  kept->span = span;
  kept->forward = options;
  kept->backward = options_.backward.value_or(options);
  if (!options_.backward) kept->backward.norm = ErrorNorm::rms;
  kept->evaluations = options_.evaluations;
  tape.own(kept);
  const Node<T> end = tape.node(values.y.index());
  const auto [y1, value] =
      append_operation<T>(tape, AdjointSolve<T>::row, std::span<const Var<T>>(inputs), end.shape,
                          tape.keep(static_cast<const Solved<T>*>(kept.get())));
  std::copy_n(end.value, end.shape.size, value);
  return {y1, values.report};
}

template Solution<float> Backsolve::solve_as(const Problem<float>&, const SolveOptions&) const;
template Solution<double> Backsolve::solve_as(const Problem<double>&, const SolveOptions&) const;

const Backsolve backsolve;

}  // namespace fjord::ode
