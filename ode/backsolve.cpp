#include "fjord/ode/backsolve.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/packing.hpp"
#include "fjord/ode/solve_back.hpp"
#include "fjord/ode/solve_operation.hpp"
#include "fjord/ode/stops.hpp"

namespace fjord::ode {
namespace {

double root_mean_square(std::span<const double> ratios) {
  double sum = 0;
  for (const double ratio : ratios) sum += ratio * ratio;
  return ratios.empty() ? 0 : std::sqrt(sum / static_cast<double>(ratios.size()));
}

double largest_size(std::span<const double> ratios) {
  double largest = 0;
  for (const double ratio : ratios) largest = std::max(largest, std::abs(ratio));
  return largest;
}

// What sweeps need of a solve.
template <class T>
struct Solved : KeptSolve<T> {
  TimeSpan span;
  SolveOptions forward;
  SolveOptions backward;
  bool seminorm = false;
  Checkpoints<T> checkpoints;

  // For a state of so many entries, its adjoint, and integrals: no part's error hides among many
  // others.
  SolveOptions backward_options(Index entries) const {
    SolveOptions options = backward;
    if (options.custom_norm) return options;
    const auto norm_of = options.norm == ErrorNorm::rms ? root_mean_square : largest_size;
    options.custom_norm = [n = static_cast<std::size_t>(entries), norm_of,
                           seminorm = seminorm](std::span<const double> ratios) {
      const double norm = std::max(norm_of(ratios.first(n)), norm_of(ratios.subspan(n, n)));
      return seminorm ? norm : std::max(norm, norm_of(ratios.subspan(2 * n)));
    };
    return options;
  }
};

template <class T>
struct AdjointSolve {
  static const Solved<T>& of(const RuleNode<T>& rule) { return kept_with<const Solved<T>>(rule); }

  // The state y, its adjoint a and the integral of a^T df/dp, from t1 back to t0.
  static Field<T> backward_field(const Field<T>& f, const Vars<T>& parameters, const Shape& shape) {
    std::vector<Shape> shapes{shape, shape};
    for (const Var<T>& p : parameters) shapes.push_back(p.shape());
    return [f, parameters, shapes](const Var<T>& t, const Var<T>& packed) {
      const Vars<T> parts = unpack(packed, shapes);
      const auto [slope, cotangents] = adjoint_slopes<T>(f, t, parts[0], parts[1], parameters);
      Vars<T> slopes{slope};
      for (const Var<T>& cotangent : cotangents) slopes.push_back(-cotangent);
      return pack(slopes);
    };
  }

  static Backsolved<T> solved_back(const RuleNode<T>& rule, const Var<T>& y0, const Field<T>& field,
                                   const Var<T>& start) {
    const Solved<T>& p = of(rule);
    const SolveOptions backward = p.backward_options(y0.shape().size());
    return solve_back<T>({p.f, field, p.span, p.forward, backward, p.checkpoints}, y0, start);
  }

  static Var<T> values_back(const Reverse<T>& rule, const Field<T>& field, const Var<T>& start) {
    return solved_back(rule, rule.input(solve_input::y0), field, start).packed;
  }

  // By this mode again, so that memory does not grow in derivatives of higher order either.
  static Solution<T> solve_between(const Solved<T>& problem, const Field<T>& f,
                                   const SolveOptions& options, const Var<T>& y, const Var<T>& from,
                                   const Var<T>& to) {
    const TimeSpan span{static_cast<double>(from.item()), static_cast<double>(to.item())};
    const Backsolve mode({problem.backward, problem.seminorm});
    return mode.solve_as<T>({f, y, span, {from, to}}, within(options, span));
  }

  // Solves between the times at which the state must be set anew: a solve of values finds those.
  static Var<T> recorded_back(const Reverse<T>& rule, const Field<T>& field, const Var<T>& start) {
    Tape<T>& tape = rule.tape();
    const Solved<T>& p = of(rule);
    std::vector<double> resets;
    {
      const RewindScope<T> scope(tape);
      resets = solved_back(rule, rule.input(solve_input::y0), field, start).resets;
    }
    Vars<T> times{rule.input(solve_input::t0)};
    Vars<T> states{rule.input(solve_input::y0)};
    for (std::size_t i = resets.size(); i-- > 0;) {
      times.push_back(tape.scalar(static_cast<T>(resets[i])));
      states.push_back(solved(solve_between(p, field_of(rule, p), p.forward, states.back(),
                                            times.rbegin()[1], times.back()),
                              "forward"));
    }
    times.push_back(rule.input(solve_input::t1));
    const SolveOptions backward = p.backward_options(states.front().shape().size());
    Var<T> packed = start;
    for (std::size_t i = times.size() - 1; i-- > 0;) {
      packed =
          solved(solve_between(p, field, backward, packed, times[i + 1], times[i]), "backward");
      if (i > 0) packed = with_state(packed, states[i]);
    }
    return packed;
  }

  // Both modes: recorded sweeps append a solve that can be swept over in turn, the others take its
  // numbers only.
  static void pull(Reverse<T>& rule, bool records) {
    const Field<T> f = field_of(rule, of(rule));
    const std::vector<std::uint32_t> wanted =
        active_captured(rule, [&](std::uint32_t i) { return rule.wants(i); });
    Vars<T> parameters;
    for (const std::uint32_t i : wanted) parameters.push_back(rule.input(i));
    const Var<T> y1 = rule.output();
    const T scale = adjoint_scale(rule, of(rule).backward);
    const Shape shape = y1.shape();
    Vars<T> start{y1, rule.cotangent() * scale};
    std::vector<Shape> shapes{shape, shape};
    for (const Var<T>& parameter : parameters) {
      shapes.push_back(parameter.shape());
      start.push_back(broadcast_to(rule.tape().scalar(T(0)), shapes.back()));
    }
    const Field<T> field = backward_field(f, parameters, shape);
    const Var<T> packed =
        records ? recorded_back(rule, field, pack(start)) : values_back(rule, field, pack(start));
    Vars<T> end = unpack(packed, shapes);
    for (std::size_t i = 1; i < end.size(); ++i) end[i] = end[i] * (1 / scale);
    rule.add(solve_input::y0, computed(end[1]));
    for (std::size_t k = 0; k < wanted.size(); ++k) rule.add(wanted[k], computed(end[2 + k]));
    add_times(rule, f, end[1]);
  }

  static void pullback_rule(Reverse<T>& rule) { pull(rule, true); }

  // A state y with a tangent v: dv/dt = df/dy v + df/dp dp, for the parameters that move.
  static Field<T> tangent_field(const Field<T>& f, const Vars<T>& moving, const Vars<T>& tangents,
                                const Shape& shape) {
    return [f, moving, tangents, shape](const Var<T>& t, const Var<T>& packed) {
      const Vars<T> parts = unpack<T>(packed, {shape, shape});
      Vars<T> directions{t.tape().scalar(T(0)), parts[1]};
      directions.insert(directions.end(), tangents.begin(), tangents.end());
      return pack<T>(slope_and_tangent<T>(f, {t, parts[0]}, moving, directions));
    };
  }

  static bool pushforward_rule(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Solved<T>& p = of(rule);
    const Field<T> f = field_of(rule, p);
    const Var<T> y0 = rule.input(solve_input::y0);
    const Shape shape = y0.shape();
    Vars<T> moving;
    Vars<T> tangents;
    for (const std::uint32_t i :
         active_captured(rule, [&](std::uint32_t k) { return !rule.tangent(k).is_empty(); })) {
      moving.push_back(rule.input(i));
      tangents.push_back(rule.tangent(i));
    }
    Var<T> v0 = rule.tangent(solve_input::y0).is_empty()
                    ? broadcast_to(rule.tape().scalar(T(0)), shape)
                    : rule.tangent(solve_input::y0);
    if (!rule.tangent(solve_input::t0).is_empty())
      v0 = v0 - f(rule.input(solve_input::t0), y0) * rule.tangent(solve_input::t0);
    const Field<T> field = tangent_field(f, moving, tangents, shape);
    const Solution<T> solution =
        solve_between(p, field, p.backward, pack<T>({y0, v0}), rule.input(solve_input::t0),
                      rule.input(solve_input::t1));
    Var<T> v1 = unpack<T>(solved(solution, "tangent"), {shape, shape})[1];
    if (!rule.tangent(solve_input::t1).is_empty())
      v1 = v1 + f(rule.input(solve_input::t1), rule.output()) * rule.tangent(solve_input::t1);
    rule.set(computed(v1));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    pull_values(k, [](Reverse<T>& rule) { pull(rule, false); });
  }

  static constexpr Operation<T> row{"solve_adjoint", pullback_rule, pushforward_rule,
                                    pullback_values};
};

}  // namespace

template <class T>
Solution<T> Backsolve::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  check_moves_no_halves(back_by(options.method));
  const auto kept = std::make_shared<Solved<T>>();
  NodeObserver<T>* const observer = &kept->checkpoints;
  const WatchedSolve<T> solve = solve_watched<T>(problem, options, std::span(&observer, 1));
  if (solve.values.report.status != Status::success) return failed(solve);
  kept->f = problem.f;
  kept->span = problem.span;
  kept->forward = options;
  kept->backward = options_.backward.value_or(for_other_state(options));
  kept->seminorm = options_.seminorm;
  return append_solve<T>(AdjointSolve<T>::row, solve, kept);
}

template Solution<float> Backsolve::solve_as(const Problem<float>&, const SolveOptions&) const;
template Solution<double> Backsolve::solve_as(const Problem<double>&, const SolveOptions&) const;

const Backsolve backsolve;

}  // namespace fjord::ode
