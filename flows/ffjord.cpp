#include "fjord/flows/ffjord.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

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

// The first step of a solve over `span`, from the next step of a solve of another field. A long
// step can pass over all that this field does, and its error then looks small. A step that is very
// short may only show that the other span was short.
std::optional<double> first_step_in(ode::TimeSpan span, std::optional<double> step) {
  const double length = std::abs(span.t1 - span.t0);
  if (!step || *step < length / 100) return std::nullopt;
  const double first = std::min(*step, length / 4);
  return first > 0 ? std::optional(first) : std::nullopt;  // 0 in a span of no length
}

// The slopes with the densities of regularisers as further columns.
template <class T>
Var<T> with_densities(const Var<T>& slopes, std::span<const Regularizer<T>* const> regularizers,
                      const FieldAt<T>& at) {
  if (regularizers.empty()) return slopes;
  const std::size_t count = 1 + regularizers.size();
  auto* parts = slopes.tape().template new_records<Var<T>>(count);
  parts[0] = slopes;
  for (std::size_t i = 1; i < count; ++i)
    parts[i] = reshape(regularizers[i - 1]->density(at), {at.x.shape()[0], 1});
  return concatenate(std::span<const Var<T>>(parts, count), 1);
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
  if (options.trained_t1) t1_ = std::make_unique<Parameter<T>>(static_cast<T>(options.t1));
}

template <class T>
Ffjord<T>::Ffjord(ode::Field<T> field, nn::NamedParameters<T> parameters,
                  const FfjordOptions& options)
    : Ffjord(std::make_unique<FunctionField<T>>(std::move(field), std::move(parameters)), options) {
}

template <class T>
Ffjord<T>::Ffjord(nn::PartReader<T>& reader)
    : Ffjord(reader.template child<VectorField<T>>("field"),
             {.t0 = reader.number("t0"),
              .t1 = reader.number("t1"),
              .trained_t1 = reader.has("trained_t1") && reader.flag("trained_t1")}) {
  if (t1_ != nullptr) reader.expect_weights(1);
}

template <class T>
void Ffjord<T>::set_solver(const SolverSettings& solver) {
  check_probes(solver.trace, solver.probes);
  const double length = std::abs(data_time() - options_.t0);
  require(solver.steer == 0 || (solver.steer > 0 && solver.steer < length), "ffjord", [&] {
    return "steer must be 0, or between 0 and the length of the span, " +
           ode::short_number(length) + ", got " + ode::short_number(solver.steer);
  });
  options_.solver = solver;
}

template <class T>
Var<T> Ffjord<T>::forward(const Var<T>& x, Context<T>& context) const {
  return integrate_alone(x, Direction::to_data, context);
}

template <class T>
Var<T> Ffjord<T>::inverse(const Var<T>& y, Context<T>& context) const {
  return integrate_alone(y, Direction::to_base, context);
}

template <class T>
WithLogDet<T> Ffjord<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  return integrate_with_log_det(x, Direction::to_data, context);
}

template <class T>
WithLogDet<T> Ffjord<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  return integrate_with_log_det(y, Direction::to_base, context);
}

template <class T>
nn::Description<T> Ffjord<T>::describe() {
  nn::Description<T> description("ffjord");
  description.set("t0", options_.t0).set("t1", options_.t1);
  // Absent otherwise, as in files from before there was such a setting.
  if (t1_ != nullptr) description.set("trained_t1", true).parameter("t1", *t1_);
  return description.child("field", *field_);
}

template <class T>
double Ffjord<T>::data_time() const {
  return t1_ == nullptr ? options_.t1 : static_cast<double>(t1_->value()());
}

template <class T>
double Ffjord<T>::steered(const Context<T>& context) const {
  if (options_.solver.steer == 0 || context.norm != ode::ErrorNorm::rms) return 0;
  double drawn = 0;
  // Folded once more than for probes, which have a sequence of their own.
  context.random.fold(context.solves).fold(0).uniform(std::span(&drawn, 1));
  return options_.solver.steer * (2 * drawn - 1);
}

template <class T>
void Ffjord<T>::set_times(ode::Problem<T>& problem, Direction direction,
                          const Context<T>& context) const {
  const double step = steered(context);
  ode::TimeSpan& span = problem.span;
  span = {options_.t0, data_time() + step};
  if (t1_ != nullptr) {
    Tape<T>& tape = problem.y0.tape();
    const Var<T> t1 = tape.bind(*t1_) + static_cast<T>(step);
    problem.times = {tape.scalar(static_cast<T>(options_.t0)), t1};
    span = {static_cast<double>(problem.times.t0.item()), static_cast<double>(t1.item())};
  }
  if (direction == Direction::to_data) return;
  std::swap(span.t0, span.t1);
  std::swap(problem.times.t0, problem.times.t1);
}

template <class T>
Var<T> Ffjord<T>::integrate_alone(const Var<T>& z0, Direction direction,
                                  Context<T>& context) const {
  // As with the log-determinant, for the same bits.
  const bool by_tangents = trace_for(z0.shape(), context) != Trace::exact;
  const auto slope = [this, by_tangents, given = context.given](const Var<T>& t, const Var<T>& z) {
    return by_tangents ? field_->slope_for_tangents(t, z, given) : field_->slope(t, z, given);
  };
  return integrate(field_for(slope, context), z0, direction, context);
}

template <class T>
Var<T> Ffjord<T>::integrate(const ode::Field<T>& f, const Var<T>& y0, Direction direction,
                            Context<T>& context) const {
  // Bound below the solve, so that the steps that it rewinds do not end them.
  for (const Parameter<T>* parameter : parameters_) y0.tape().bind(*parameter);
  ode::SolveOptions solve = options_.solver.solve;
  solve.norm = context.norm;
  solve.gradient = context.gradient;
  ode::Problem<T> problem{f, y0, {}};
  set_times(problem, direction, context);
  if (!solve.first_step) solve.first_step = first_step_in(problem.span, context.first_step);
  context.first_step.reset();
  const ode::Solution<T> solution = ode::solve(problem, solve);
  const ode::Report& report = solution.report;
  context.evaluations += report.evaluations;
  context.accepted += report.accepted;
  context.rejected += report.rejected;
  context.next_step = report.next_step;
  if (report.calls_in_sweeps != nullptr) context.calls_in_sweeps.push_back(report.calls_in_sweeps);
  ++context.solves;
  if (report.status != ode::Status::success) throw ode::SolveFailure(report);
  return solution.y;
}

template <class T>
WithLogDet<T> Ffjord<T>::integrate_with_log_det(const Var<T>& z0, Direction direction,
                                                Context<T>& context) const {
  const Shape shape = z0.shape();
  require(shape.rank() == 2, "ffjord",
          [&] { return "rows [B, D] are needed, got " + to_string(shape); });
  const Index rows = shape[0];
  const Index dim = shape[1];
  const Integrand integrand = integrand_for(z0, context);
  const auto penalties = static_cast<Index>(integrand.regularizers.size());
  // The state is z with the integral of the divergence as one column more, then the penalties.
  const auto columns = [this, integrand, dim](const Var<T>& t, const Var<T>& state) {
    return slopes(t, slice(state, 1, 0, dim), integrand);
  };
  const Var<T> zeros = broadcast_to(z0.tape().scalar(T(0)), {rows, 1 + penalties});
  const Var<T> end =
      integrate(field_for(columns, context), concatenate<T>({z0, zeros}, 1), direction, context);
  if (penalties > 0) {
    const bool is_rising = (data_time() >= options_.t0) == (direction == Direction::to_data);
    const Var<T> added = slice(end, 1, dim + 1, dim + 1 + penalties) * T(is_rising ? 1 : -1);
    context.penalties = context.penalties.is_empty() ? added : context.penalties + added;
  }
  return {slice(end, 1, 0, dim), reshape(slice(end, 1, dim, dim + 1), {rows})};
}

template <class T>
Trace Ffjord<T>::trace_for(const Shape& rows, const Context<T>& context) const {
  if (options_.solver.trace != Trace::automatic) return options_.solver.trace;
  const bool is_cheap =
      field_->knows_divergence() || (rows.rank() == 2 && rows[1] <= options_.solver.probes);
  // A score must not be one of several, also where derivatives of it are asked for.
  const bool is_loss = context.norm == ode::ErrorNorm::rms && context.gradient->has_derivatives();
  return is_loss && !is_cheap ? Trace::hutchinson : Trace::exact;
}

template <class T>
bool Ffjord<T>::narrows(const Integrand& integrand, Index dim) const {
  const Index width = field_->bottleneck();
  return integrand.trace == Trace::hutchinson && !integrand.uses_jacobian && width > 0 &&
         width < dim;
}

template <class T>
typename Ffjord<T>::Integrand Ffjord<T>::integrand_for(const Var<T>& z0,
                                                       const Context<T>& context) const {
  using Uses = typename Regularizer<T>::Uses;
  Uses uses = Uses::slope;
  for (const Regularizer<T>* regularizer : context.regularizers) {
    require(regularizer != nullptr, "ffjord", "a regulariser is null");
    uses = std::max(uses, regularizer->uses);
  }
  Integrand integrand{trace_for(z0.shape(), context),
                      {},
                      context.given,
                      context.regularizers,
                      uses == Uses::jacobian};
  const bool has_own = field_->knows_divergence() && uses == Uses::slope;
  const bool by_blocks = takes_blocks(z0.shape(), *context.gradient) && uses != Uses::jacobian;
  if (integrand.trace == Trace::exact && (has_own || by_blocks)) return integrand;
  const RandomKey key = context.random.fold(context.solves);
  integrand.by_bottleneck = narrows(integrand, z0.shape()[1]);
  if (integrand.by_bottleneck) {
    const Shape stacked{z0.shape()[0], options_.solver.probes, field_->bottleneck()};
    integrand.directions =
        draw_probes(z0.tape(), stacked, options_.solver.probe, key, context.first_row);
    return integrand;
  }
  integrand.directions = directions_for(integrand.trace, z0, options_.solver.probes,
                                        options_.solver.probe, key, context.first_row);
  return integrand;
}

template <class T>
Var<T> Ffjord<T>::slopes(const Var<T>& t, const Var<T>& z, const Integrand& integrand) const {
  const Var<T>& given = integrand.given;
  const Index dim = z.shape()[1];
  FieldAt<T> at{*field_, t, z, given, {}, {}};
  if (integrand.directions.is_empty() && field_->knows_divergence()) {
    const Var<T> both = field_->with_divergence(t, z, given);
    if (integrand.regularizers.empty()) return both;
    at.slope = slice(both, 1, 0, dim);
    return with_densities(both, integrand.regularizers, at);
  }
  Var<T> divergence;
  if (integrand.by_bottleneck) {
    const auto [hidden, slope] = field_->slope_by_bottleneck(t, z, given);
    at.slope = slope;
    divergence = divergence_of(bottleneck_products(z, hidden, slope, integrand.directions));
  } else if (at.slope = field_->slope_for_tangents(t, z, given); integrand.directions.is_empty()) {
    const Index block = std::max<Index>(1, numbers_of_tangents / z.shape().size());
    divergence = divergence_values(z, at.slope, block);
  } else {
    const JacobianProducts<T> jacobian =
        jacobian_products(integrand.trace, z, at.slope, integrand.directions);
    divergence = divergence_of(jacobian);
    if (integrand.uses_jacobian) at.squared_jacobian = squared_norm_of(jacobian);
  }
  const Var<T> both = concatenate<T>({at.slope, reshape(divergence, {z.shape()[0], 1})}, 1);
  return with_densities(both, integrand.regularizers, at);
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
