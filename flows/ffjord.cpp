#include "fjord/flows/ffjord.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord::flows {
namespace {

// How many numbers the unit tangents of a block hold: large enough for matrix products to be fast,
// small enough for a cache.
constexpr Index numbers_of_tangents = 1 << 18;

}  // namespace

template <class T>
Ffjord<T>::Ffjord(ode::Field<T> field, nn::NamedParameters<T> parameters,
                  const FfjordOptions& options, ode::Field<T> field_with_divergence)
    : field_(std::move(field)),
      field_with_divergence_(std::move(field_with_divergence)),
      parameters_(std::move(parameters)),
      options_(options) {
  require(field_ != nullptr, "ffjord", "a field is needed, got an empty function");
  for (const nn::NamedParameter<T>& p : parameters_)
    require(p.parameter != nullptr, "ffjord", [&] { return "parameter " + p.name + " is null"; });
  require(options.probes > 0, "ffjord",
          [&] { return "probes must be positive, got " + std::to_string(options.probes); });
}

template <class T>
Var<T> Ffjord<T>::forward(const Var<T>& x, Context& context) const {
  return integrate(field_, x, {options_.t0, options_.t1}, context);
}

template <class T>
Var<T> Ffjord<T>::inverse(const Var<T>& y, Context& context) const {
  return integrate(field_, y, {options_.t1, options_.t0}, context);
}

template <class T>
WithLogDet<T> Ffjord<T>::forward_with_log_det(const Var<T>& x, Context& context) const {
  return integrate_with_log_det(x, {options_.t0, options_.t1}, context);
}

template <class T>
WithLogDet<T> Ffjord<T>::inverse_with_log_det(const Var<T>& y, Context& context) const {
  return integrate_with_log_det(y, {options_.t1, options_.t0}, context);
}

template <class T>
void Ffjord<T>::add_parameters(const std::string& prefix, nn::NamedParameters<T>& list) {
  for (const nn::NamedParameter<T>& p : parameters_) list.push_back({prefix + p.name, p.parameter});
}

template <class T>
Var<T> Ffjord<T>::integrate(const ode::Field<T>& f, const Var<T>& y0, ode::TimeSpan span,
                            Context& context) const {
  // Bound below the solve, so that the steps that it rewinds do not end them.
  for (const nn::NamedParameter<T>& p : parameters_) y0.tape().bind(*p.parameter);
  ode::SolveOptions solve = options_.solve;
  solve.norm = context.norm;
  solve.gradient = context.gradient;
  const ode::Solution<T> solution = ode::solve(f, y0, span, solve);
  context.evaluations += solution.report.evaluations;
  ++context.solves;
  if (solution.report.status != ode::Status::success) throw ode::SolveFailure(solution.report);
  return solution.y;
}

template <class T>
WithLogDet<T> Ffjord<T>::integrate_with_log_det(const Var<T>& z0, ode::TimeSpan span,
                                                Context& context) const {
  const Shape shape = z0.shape();
  require(shape.rank() == 2, "ffjord",
          [&] { return "rows [B, D] are needed, got " + to_string(shape); });
  const Index rows = shape[0];
  const Index dim = shape[1];
  const Var<T> directions = directions_at(z0, context);
  // The state is z with the integral of the divergence as one column more.
  const auto augmented = [this, directions, dim](const Var<T>& t, const Var<T>& state) {
    return slope_with_divergence(t, slice(state, 1, 0, dim), directions);
  };
  // Where the field ends with the solve, a reference leaves nothing to allocate.
  const ode::Field<T> field = context.gradient->keeps_field() ? ode::Field<T>(augmented)
                                                              : ode::Field<T>(std::cref(augmented));
  const Var<T> zeros = broadcast_to(z0.tape().scalar(T(0)), {rows, 1});
  const Var<T> end = integrate(field, concatenate<T>({z0, zeros}, 1), span, context);
  return {slice(end, 1, 0, dim), reshape(slice(end, 1, dim, dim + 1), {rows})};
}

template <class T>
Var<T> Ffjord<T>::directions_at(const Var<T>& z0, const Context& context) const {
  if (options_.trace == Trace::hutchinson) {
    return draw_probes(z0, options_.probes, options_.probe, context.random.fold(context.solves),
                       context.first_row);
  }
  return field_with_divergence_ != nullptr || takes_blocks(z0.shape(), context) ? Var<T>()
                                                                                : unit_tangents(z0);
}

template <class T>
bool Ffjord<T>::takes_blocks(const Shape& rows, const Context& context) const {
  return !context.gradient->has_derivatives() && rows.size() * rows[1] > numbers_of_tangents;
}

template <class T>
Var<T> Ffjord<T>::slope_with_divergence(const Var<T>& t, const Var<T>& z,
                                        const Var<T>& directions) const {
  if (directions.is_empty() && field_with_divergence_ != nullptr)
    return field_with_divergence_(t, z);
  const Var<T> slope = field_(t, z);
  const Var<T> divergence =
      directions.is_empty()
          ? divergence_values(z, slope, std::max<Index>(1, numbers_of_tangents / z.shape().size()))
      : options_.trace == Trace::exact ? exact_divergence(z, slope, directions)
                                       : estimated_divergence(z, slope, directions);
  return concatenate<T>({slope, reshape(divergence, {z.shape()[0], 1})}, 1);
}

template class Ffjord<float>;
template class Ffjord<double>;

}  // namespace fjord::flows
