#include "fjord/ode/interpolating_adjoint.hpp"

#include <algorithm>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/ode/dense_output.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/packing.hpp"
#include "fjord/ode/solve_operation.hpp"
#include "fjord/ode/stops.hpp"

namespace fjord::ode {
namespace {

// What sweeps need of a solve.
template <class T>
struct Interpolated : KeptSolve<T> {
  TimeSpan span;
  SolveOptions options;
  DenseOutput<T> states;

  // From t1 back to t0; the observer may be null.
  Var<T> solved_back(const Field<T>& field, const Var<T>& start,
                     NodeObserver<T>* observer = nullptr) const {
    const TimeSpan back{span.t1, span.t0};
    const std::span<NodeObserver<T>* const> observers(&observer, observer == nullptr ? 0 : 1);
    return solved(run<T>({field, start, back}, within(for_other_state(options), back),
                         Recording::none, observers),
                  "backward");
  }

  AdjointSlopes<T> slopes(const Field<T>& field, const Var<T>& t, const Var<T>& a,
                          const Vars<T>& parameters) const {
    const Var<T> y = states.at(t.tape(), static_cast<double>(t.item()));
    return adjoint_slopes<T>(field, t, y, a, parameters);
  }
};

template <class T>
Vars<T> wanted_parameters(const Reverse<T>& rule, const std::vector<std::uint32_t>& wanted) {
  Vars<T> parameters;
  for (const std::uint32_t i : wanted) parameters.push_back(rule.input(i));
  return parameters;
}

// Adjoint and integrals of a^T df/dp as one state.
template <class T>
struct InterpolatingSolve {
  static void pull(Reverse<T>& rule) {
    const auto& p = kept_with<const Interpolated<T>>(rule);
    const Field<T> f = field_of(rule, p);
    const std::vector<std::uint32_t> wanted =
        active_captured(rule, [&](std::uint32_t i) { return rule.wants(i); });
    const Vars<T> parameters = wanted_parameters(rule, wanted);
    const T scale = adjoint_scale(rule, p.options);
    Vars<T> start{rule.cotangent() * scale};
    std::vector<Shape> shapes{rule.output().shape()};
    for (const Var<T>& parameter : parameters) {
      shapes.push_back(parameter.shape());
      start.push_back(broadcast_to(rule.tape().scalar(T(0)), shapes.back()));
    }
    const Field<T> field = [&](const Var<T>& t, const Var<T>& packed) {
      Vars<T> slopes = p.slopes(f, t, unpack(packed, shapes)[0], parameters).cotangents;
      for (Var<T>& slope : slopes) slope = -slope;
      return pack(slopes);
    };
    Vars<T> end = unpack(p.solved_back(field, pack(start)), shapes);
    for (Var<T>& part : end) part = part * (1 / scale);
    rule.add(solve_input::y0, computed(end[0]));
    for (std::size_t k = 0; k < wanted.size(); ++k) rule.add(wanted[k], computed(end[1 + k]));
    add_times(rule, f, end[0]);
  }

  static void pullback_values(ReverseKernel<T>& kernel) { pull_values(kernel, pull); }

  static constexpr Operation<T> row{"interpolating", FirstOrderOnly<T>::pullback,
                                    FirstOrderOnly<T>::pushforward, pullback_values};
};

struct GaussPoint {
  double part;
  double weight;
};

// On [0, 1]; Abramowitz & Stegun, table 25.4.
constexpr std::array<GaussPoint, 5> gauss_points{
    {{0.5, 0.28444444444444444444},
     {0.23076534494715845448, 0.23931433524968323402},
     {0.76923465505284154552, 0.23931433524968323402},
     {0.04691007703066800360, 0.11846344252809454376},
     {0.95308992296933199640, 0.11846344252809454376}}};

template <class T>
struct QuadratureSolve {
  static void pull(Reverse<T>& rule) {
    const auto& p = kept_with<const Interpolated<T>>(rule);
    const Field<T> f = field_of(rule, p);
    DenseOutput<T> adjoints;
    const Field<T> field = [&](const Var<T>& t, const Var<T>& a) {
      return -p.slopes(f, t, a, {}).cotangents[0];
    };
    const T scale = adjoint_scale(rule, p.options);
    const Var<T> a0 = p.solved_back(field, rule.cotangent() * scale, &adjoints) * (1 / scale);
    rule.add(solve_input::y0, computed(a0));
    add_times(rule, f, a0);
    const std::vector<std::uint32_t> wanted =
        active_captured(rule, [&](std::uint32_t i) { return rule.wants(i); });
    if (wanted.empty()) return;
    Vars<T> sums = integrals(p, f, adjoints, wanted_parameters(rule, wanted));
    for (std::size_t k = 0; k < wanted.size(); ++k)
      rule.add(wanted[k], computed(sums[k] * (1 / scale)));
  }

  // Of a^T df/dp from t0 to t1.
  static Vars<T> integrals(const Interpolated<T>& p, const Field<T>& f,
                           const DenseOutput<T>& adjoints, const Vars<T>& parameters) {
    Tape<T>& tape = parameters.front().tape();
    std::vector<std::vector<double>> sums;
    for (const Var<T>& parameter : parameters)
      sums.emplace_back(static_cast<std::size_t>(parameter.shape().size()));
    for (const TimeSpan& step : adjoints.steps()) {
      const double length = step.t0 - step.t1;
      for (const auto& [part, weight] : gauss_points) {
        const RewindScope<T> scope(tape);
        const double t = step.t0 - part * length;
        const Vars<T> cotangents =
            p.slopes(f, tape.scalar(static_cast<T>(t)), adjoints.at(tape, t), parameters)
                .cotangents;
        for (std::size_t k = 0; k < sums.size(); ++k) {
          const T* const numbers = tape.node(cotangents[k + 1], "solve").value;
          for (std::size_t i = 0; i < sums[k].size(); ++i)
            sums[k][i] += length * weight * static_cast<double>(numbers[i]);
        }
      }
    }
    Vars<T> result;
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const NodeShape shape = tape.node(parameters[k], "solve").shape;
      T* const numbers = tape.new_values(shape.size);
      std::transform(sums[k].begin(), sums[k].end(), numbers,
                     [](double sum) { return static_cast<T>(sum); });
      result.push_back(tape.borrow(shape, numbers));
    }
    return result;
  }

  static void pullback_values(ReverseKernel<T>& kernel) { pull_values(kernel, pull); }

  static constexpr Operation<T> row{"quadrature", FirstOrderOnly<T>::pullback,
                                    FirstOrderOnly<T>::pushforward, pullback_values};
};

template <class T>
Solution<T> solve_interpolated(const Operation<T>& row, const Problem<T>& problem,
                               const SolveOptions& options) {
  const auto kept = std::make_shared<Interpolated<T>>();
  NodeObserver<T>* const observer = &kept->states;
  const WatchedSolve<T> solve = solve_watched(problem, options, std::span(&observer, 1));
  if (solve.values.report.status != Status::success) return failed(solve);
  kept->f = problem.f;
  kept->span = problem.span;
  kept->options = options;
  return append_solve(row, solve, kept);
}

}  // namespace

template <class T>
Solution<T> InterpolatingAdjoint::solve_as(const Problem<T>& problem,
                                           const SolveOptions& options) const {
  check_moves_no_halves(options.method);
  return solve_interpolated(InterpolatingSolve<T>::row, problem, options);
}

template <class T>
Solution<T> QuadratureAdjoint::solve_as(const Problem<T>& problem,
                                        const SolveOptions& options) const {
  return solve_interpolated(QuadratureSolve<T>::row, problem, options);
}

#define FJORD_INSTANTIATE(T)                                                                  \
  template Solution<T> InterpolatingAdjoint::solve_as(const Problem<T>&, const SolveOptions&) \
      const;                                                                                  \
  template Solution<T> QuadratureAdjoint::solve_as(const Problem<T>&, const SolveOptions&) const;
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

constinit const InterpolatingAdjoint interpolating;
constinit const QuadratureAdjoint quadrature;

}  // namespace fjord::ode
