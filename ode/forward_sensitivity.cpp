#include "fjord/ode/forward_sensitivity.hpp"

#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/ode/captured.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/packing.hpp"
#include "fjord/ode/solve_operation.hpp"

namespace fjord::ode {
namespace {

// What sweeps need of a solve.
template <class T>
struct Sensitive : KeptSolve<T> {
  TimeSpan span;
  SolveOptions options;
  Tensor<T> jacobian;  // dy1 in the entries of y0, then of all that the field uses; stacked
};

// Of `count` unit tangents those of one variable, whose first entry has number `begin`.
template <class T>
Var<T> units_of(const Var<T>& x, Index begin, Index count) {
  const Shape shape = x.shape();
  Tensor<T> units = Tensor<T>::zeros(stacked_shape(shape, count));
  const Index last = shape.rank() >= 2 ? shape[shape.rank() - 1] : 1;
  const Index slab = shape.size() / std::max<Index>(last, 1);
  for (Index e = 0; e < shape.size(); ++e)
    units.data()[(e / slab * count + begin + e) * slab + e % slab] = 1;
  return x.tape().input(units);
}

// The numbers of a variable as [size], in the order in which units_of counts them.
template <class T>
Var<T> flat(const Var<T>& x) {
  return reshape(transpose(x), {x.shape().size()});
}

template <class T>
Var<T> unflat(const Var<T>& numbers, const Shape& shape) {
  std::vector<Index> reversed;
  for (std::size_t axis = shape.rank(); axis-- > 0;) reversed.push_back(shape[axis]);
  return transpose(reshape(numbers, reversed));
}

template <class T>
struct ForwardSolve {
  static const Sensitive<T>& of(const RuleNode<T>& rule) {
    return kept_with<const Sensitive<T>>(rule);
  }

  // Where in the list of all entries those of an input begin; input 0 is y0.
  static Index begin_of(const RuleNode<T>& rule, std::uint32_t input) {
    Index begin = 0;
    for (std::uint32_t i = 0; i < input; ++i) {
      if (i == 0 || i >= solve_input::first_captured) begin += rule.input_node(i).shape.size;
    }
    return begin;
  }

  // Recorded by a solve that has derivatives in turn, or the numbers that are there.
  static Var<T> jacobian(const RecordedRule<T>& rule, bool records);

  static void pull(Reverse<T>& rule, bool records) {
    const Var<T> all = jacobian(rule, records);
    const Index axis = stacking_axis(rule.output().shape().rank());
    std::vector<Index> others;
    for (Index a = 0; a < static_cast<Index>(all.shape().rank()); ++a) {
      if (a != axis) others.push_back(a);
    }
    const Var<T> g = reshape(rule.cotangent(), stacked_shape(rule.output().shape(), 1));
    const Var<T> sums = sum(g * all, others);
    const auto part = [&](std::uint32_t i) {
      const Shape shape = rule.input(i).shape();
      const Index begin = begin_of(rule, i);
      return computed(unflat(slice(sums, 0, begin, begin + shape.size()), shape));
    };
    const Var<T> a0 = part(solve_input::y0);
    rule.add(solve_input::y0, a0);
    for (const std::uint32_t i :
         active_captured(rule, [&](std::uint32_t k) { return rule.wants(k); })) {
      rule.add(i, part(i));
    }
    add_times(rule, field_of(rule, of(rule)), a0);
  }

  static void pullback_rule(Reverse<T>& rule) { pull(rule, true); }

  static void pullback_values(ReverseKernel<T>& kernel) {
    pull_values(kernel, [](Reverse<T>& rule) { pull(rule, false); });
  }

  static bool pushforward_rule(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    using namespace solve_input;
    const Field<T> f = field_of(rule, of(rule));
    const auto tangent_of = [&](std::uint32_t i) {
      return rule.tangent(i).is_empty()
                 ? broadcast_to(rule.tape().scalar(T(0)), rule.input(i).shape())
                 : rule.tangent(i);
    };
    Var<T> v0 = tangent_of(y0);
    if (!rule.tangent(t0).is_empty())
      v0 = v0 - f(rule.input(t0), rule.input(y0)) * rule.tangent(t0);
    Vars<T> directions{flat(v0)};
    for (std::uint32_t i = first_captured; i < rule.input_count(); ++i)
      directions.push_back(flat(tangent_of(i)));
    const Var<T> all = jacobian(rule, true);
    const std::size_t rank = rule.output().shape().rank();
    const Index axis = stacking_axis(rank);
    std::vector<Index> sizes(rank + 1, 1);
    sizes[static_cast<std::size_t>(axis)] = -1;
    const Var<T> weights = reshape(concatenate<T>(directions, 0), std::span<const Index>(sizes));
    Var<T> v1 = sum(all * weights, {axis});
    if (!rule.tangent(t1).is_empty()) v1 = v1 + f(rule.input(t1), rule.output()) * rule.tangent(t1);
    rule.set(computed(v1));
    return true;
  }

  static constexpr Operation<T> row{"forward", pullback_rule, pushforward_rule, pullback_values};
};

// A state with its sensitivities, as one state of rank 1.
template <class T>
class SensitiveProblem final {
 public:
  SensitiveProblem(const Field<T>& f, const Var<T>& y0, const Vars<T>& parameters)
      : count_(y0.shape().size()), shapes_{y0.shape(), {}} {
    for (const Var<T>& parameter : parameters) count_ += parameter.shape().size();
    shapes_[1] = stacked_shape(y0.shape(), count_);
    start_ = pack<T>({y0, units_of(y0, 0, count_)});
    // Units are made in each evaluation: older nodes would count as such that the field uses.
    field_ = [f, parameters, shapes = shapes_, count = count_](const Var<T>& t,
                                                               const Var<T>& packed) {
      const Vars<T> parts = unpack(packed, shapes);
      Vars<T> directions{broadcast_to(t.tape().scalar(T(0)), stacked_shape(t.shape(), count)),
                         parts[1]};
      Index begin = parts[0].shape().size();
      for (const Var<T>& parameter : parameters) {
        directions.push_back(units_of(parameter, begin, count));
        begin += parameter.shape().size();
      }
      return pack<T>(slope_and_tangent<T>(f, {t, parts[0]}, parameters, directions));
    };
  }

  const Var<T>& start() const { return start_; }

  const Field<T>& field() const { return field_; }

  /// The state and the sensitivities.
  Vars<T> parts(const Var<T>& packed) const { return unpack(packed, shapes_); }

 private:
  Index count_;
  std::vector<Shape> shapes_;
  Var<T> start_;
  Field<T> field_;
};

template <class T>
Var<T> ForwardSolve<T>::jacobian(const RecordedRule<T>& rule, bool records) {
  const Sensitive<T>& p = of(rule);
  if (!records) return rule.tape().borrow(p.jacobian);
  Vars<T> parameters;
  for (std::uint32_t i = solve_input::first_captured; i < rule.input_count(); ++i)
    parameters.push_back(rule.input(i));
  const SensitiveProblem<T> problem(field_of(rule, p), rule.input(solve_input::y0), parameters);
  const Solution<T> solution =
      ForwardSensitivity().solve_as<T>({problem.field(),
                                        problem.start(),
                                        p.span,
                                        {rule.input(solve_input::t0), rule.input(solve_input::t1)}},
                                       p.options);
  return problem.parts(solved(solution, "second"))[1];
}

}  // namespace

template <class T>
Solution<T> ForwardSensitivity::solve_as(const Problem<T>& problem,
                                         const SolveOptions& options) const {
  require(problem.f != nullptr, "solve", "a field is needed, got an empty function");
  require(
      options.rtol_of_entries.empty() && options.atol_of_entries.empty() && !options.custom_norm,
      "solve",
      "the mode forward solves for more than the state; in place of rtol_of_entries, "
      "atol_of_entries and custom_norm set rtol, atol and norm");
  check_moves_no_halves(options.method);
  require(!options.separate_rows, "solve",
          "separate_rows has the gradient modes direct and values_only, got forward");
  Tape<T>& tape = problem.y0.tape();
  tape.node(problem.y0, "solve");
  const Vars<T> parameters = captured_at_start(problem);
  const SensitiveProblem<T> sensitive(problem.f, problem.y0, parameters);
  WatchedSolve<T> solve = solve_watched<T>(
      {sensitive.field(), sensitive.start(), problem.span, problem.times}, options);
  const Vars<T> ends = sensitive.parts(solve.values.y);
  const bool is_known = std::all_of(
      solve.inputs.begin() + solve_input::first_captured, solve.inputs.end(),
      [&](const Var<T>& used) {
        return std::ranges::any_of(
            parameters, [&](const Var<T>& known) { return known.index() == used.index(); });
      });
  require(is_known, "solve",
          "the field uses other variables at later times than at the first, which the mode "
          "forward cannot know before; use direct");
  solve.values.y = ends[0];
  if (solve.values.report.status != Status::success) return failed(solve);
  solve.inputs.erase(solve.inputs.begin() + solve_input::first_captured, solve.inputs.end());
  solve.inputs[solve_input::y0] = problem.y0;
  solve.inputs.insert(solve.inputs.end(), parameters.begin(), parameters.end());
  const auto kept = std::make_shared<Sensitive<T>>();
  *kept = {{problem.f}, problem.span, options, Tensor<T>(ends[1].value())};
  return append_solve(ForwardSolve<T>::row, solve, kept);
}

#define FJORD_INSTANTIATE(T) \
  template Solution<T> ForwardSensitivity::solve_as(const Problem<T>&, const SolveOptions&) const;
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

constinit const ForwardSensitivity forward_sensitivity;

}  // namespace fjord::ode
