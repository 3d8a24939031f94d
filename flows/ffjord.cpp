#include "fjord/flows/ffjord.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord::flows {
namespace {

// How many numbers the unit tangents of a block hold: large enough for matrix products to be fast,
// small enough for a cache.
constexpr Index numbers_of_tangents = 1 << 18;

// Where the field ends with the solve, a reference leaves nothing to allocate.
template <class T, class F>
ode::Field<T> field_for(const F& function, const Context<T>& context) {
  return context.gradient->keeps_field() ? ode::Field<T>(function)
                                         : ode::Field<T>(std::cref(function));
}

// Whether the exact trace takes more memory at once than it needs: where nothing is recorded, it is
// computed in blocks.
bool takes_blocks(const Shape& rows, const ode::GradientMode& gradient) {
  return !gradient.has_derivatives() && rows.size() * rows[1] > numbers_of_tangents;
}

}  // namespace

template <class T>
Ffjord<T>::Ffjord(std::unique_ptr<VectorField<T>> field, const FfjordOptions& options)
    : field_(std::move(field)), options_(options) {
  require(field_ != nullptr, "ffjord", "a field is needed, got null");
  require(std::isfinite(options.t0) && std::isfinite(options.t1), "ffjord",
          "t0 and t1 must be finite");
  set_solver(options.solver);
  parameters_ = nn::parameter_pointers(nn::parameters_of(*field_));
}

template <class T>
Ffjord<T>::Ffjord(ode::Field<T> field, nn::NamedParameters<T> parameters,
                  const FfjordOptions& options)
    : Ffjord(std::make_unique<FunctionField<T>>(std::move(field), std::move(parameters)), options) {
}

template <class T>
Ffjord<T>::Ffjord(nn::PartReader<T>& reader)
    : Ffjord(reader.template child<VectorField<T>>("field"),
             {.t0 = reader.number("t0"), .t1 = reader.number("t1")}) {}

template <class T>
void Ffjord<T>::set_solver(const SolverSettings& solver) {
  check_probes(solver.trace, solver.probes);
  options_.solver = solver;
}

template <class T>
Var<T> Ffjord<T>::forward(const Var<T>& x, Context<T>& context) const {
  return integrate_alone(x, {options_.t0, options_.t1}, context);
}

template <class T>
Var<T> Ffjord<T>::inverse(const Var<T>& y, Context<T>& context) const {
  return integrate_alone(y, {options_.t1, options_.t0}, context);
}

template <class T>
WithLogDet<T> Ffjord<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  return integrate_with_log_det(x, {options_.t0, options_.t1}, context);
}

template <class T>
WithLogDet<T> Ffjord<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  return integrate_with_log_det(y, {options_.t1, options_.t0}, context);
}

template <class T>
nn::Description<T> Ffjord<T>::describe() {
  return nn::Description<T>("ffjord")
      .set("t0", options_.t0)
      .set("t1", options_.t1)
      .child("field", *field_);
}

template <class T>
Var<T> Ffjord<T>::integrate_alone(const Var<T>& z0, ode::TimeSpan span, Context<T>& context) const {
  // As with the log-determinant, for the same bits.
  const bool by_tangents = trace_for(z0.shape(), context) != Trace::exact;
  const auto slope = [this, by_tangents, given = context.given](const Var<T>& t, const Var<T>& z) {
    return by_tangents ? field_->slope_for_tangents(t, z, given) : field_->slope(t, z, given);
  };
  return integrate(field_for(slope, context), z0, span, context);
}

template <class T>
Var<T> Ffjord<T>::integrate(const ode::Field<T>& f, const Var<T>& y0, ode::TimeSpan span,
                            Context<T>& context) const {
  // Bound below the solve, so that the steps that it rewinds do not end them.
  for (const Parameter<T>* parameter : parameters_) y0.tape().bind(*parameter);
  ode::SolveOptions solve = options_.solver.solve;
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
                                                Context<T>& context) const {
  const Shape shape = z0.shape();
  require(shape.rank() == 2, "ffjord",
          [&] { return "rows [B, D] are needed, got " + to_string(shape); });
  const Index rows = shape[0];
  const Index dim = shape[1];
  const Trace trace = trace_for(shape, context);
  const Var<T> directions = directions_at(z0, trace, context);
  // The state is z with the integral of the divergence as one column more.
  const auto augmented = [this, trace, directions, dim, given = context.given](
                             const Var<T>& t, const Var<T>& state) {
    return slope_with_divergence(t, slice(state, 1, 0, dim), trace, directions, given);
  };
  const Var<T> zeros = broadcast_to(z0.tape().scalar(T(0)), {rows, 1});
  const Var<T> end =
      integrate(field_for(augmented, context), concatenate<T>({z0, zeros}, 1), span, context);
  return {slice(end, 1, 0, dim), reshape(slice(end, 1, dim, dim + 1), {rows})};
}

template <class T>
Trace Ffjord<T>::trace_for(const Shape& rows, const Context<T>& context) const {
  if (options_.solver.trace != Trace::automatic) return options_.solver.trace;
  const bool is_cheap = field_->knows_divergence() || !context.gradient->has_derivatives() ||
                        (rows.rank() == 2 && rows[1] <= options_.solver.probes);
  return is_cheap ? Trace::exact : Trace::hutchinson;
}

template <class T>
Var<T> Ffjord<T>::directions_at(const Var<T>& z0, Trace trace, const Context<T>& context) const {
  if (trace == Trace::exact &&
      (field_->knows_divergence() || takes_blocks(z0.shape(), *context.gradient)))
    return {};
  return directions_for(trace, z0, options_.solver.probes, options_.solver.probe,
                        context.random.fold(context.solves), context.first_row);
}

template <class T>
Var<T> Ffjord<T>::slope_with_divergence(const Var<T>& t, const Var<T>& z, Trace trace,
                                        const Var<T>& directions, const Var<T>& given) const {
  if (directions.is_empty() && field_->knows_divergence())
    return field_->with_divergence(t, z, given);
  const Var<T> slope = field_->slope_for_tangents(t, z, given);
  const Var<T> divergence =
      directions.is_empty()
          ? divergence_values(z, slope, std::max<Index>(1, numbers_of_tangents / z.shape().size()))
          : divergence_of(jacobian_products(trace, z, slope, directions));
  return concatenate<T>({slope, reshape(divergence, {z.shape()[0], 1})}, 1);
}

template <class T>
void set_solver(nn::Part<T>& model, const SolverSettings& solver) {
  const nn::Description<T> description = model.describe();
  std::vector<nn::Part<T>*> parts = description.parts();
  parts.push_back(&model);
  for (nn::Part<T>* part : parts) {
    if (auto* flow = dynamic_cast<Ffjord<T>*>(part)) flow->set_solver(solver);
  }
}

template class Ffjord<float>;
template class Ffjord<double>;
template void set_solver(nn::Part<float>&, const SolverSettings&);
template void set_solver(nn::Part<double>&, const SolverSettings&);

}  // namespace fjord::flows
