#include "fjord/flows/matching.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/assignment.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

using Point = MatchingPath::Point;

Point straight(double s, double k) {
  return {1 - s, s, k, -1, 1, 0};
}

Point target(double s, double k) {
  return {1 - (1 - k) * s, s, 0, -(1 - k), 1, 0};
}

Point bridge(double s, double k) {
  const double width = std::sqrt(s * (1 - s));
  return {1 - s, s, k * width, -1, 1, k == 0 ? 0 : k * (1 - 2 * s) / (2 * width)};
}

Point variance_preserving(double s, double /*k*/) {
  constexpr double quarter = std::numbers::pi / 2;
  const double cos = std::cos(quarter * s);
  const double sin = std::sin(quarter * s);
  return {cos, sin, 0, -quarter * sin, quarter * cos, 0};
}

constexpr std::array paths{MatchingPath{"independent", false, straight},
                           MatchingPath{"target", false, target},
                           MatchingPath{"optimal_transport", true, straight},
                           MatchingPath{"schrodinger_bridge", true, bridge},
                           MatchingPath{"variance_preserving", false, variance_preserving}};

// The base points in the order in which they belong to the data points.
template <class T>
std::vector<Index> coupled(const TensorView<T>& x0, const TensorView<T>& x1) {
  const Index rows = x0.shape()[0];
  std::vector<double> cost(static_cast<std::size_t>(rows * rows), 0.0);
  for (Index d = 0; d < x0.shape()[1]; ++d) {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < rows; ++j)
        cost[static_cast<std::size_t>(i * rows + j)] +=
            std::pow(static_cast<double>(x1(i, d)) - static_cast<double>(x0(j, d)), 2);
    }
  }
  return optimal_assignment(cost, rows);
}

/// The parts of a chain of bijectors around its only Ffjord.
template <class T>
struct Around {
  std::vector<const Bijector<T>*> before;  // on the side of the base
  const Ffjord<T>* flow = nullptr;
  std::vector<const Bijector<T>*> after;  // on the side of the data
};

template <class T>
void take(const Bijector<T>& part, Around<T>& around) {
  if (const auto* chain = dynamic_cast<const Chain<T>*>(&part)) {
    for (const auto& inner : chain->parts()) take(*inner, around);
    return;
  }
  const auto* flow = dynamic_cast<const Ffjord<T>*>(&part);
  if (flow == nullptr) {
    (around.flow == nullptr ? around.before : around.after).push_back(&part);
    return;
  }
  require(around.flow == nullptr, "flow_matching",
          "the model has several Ffjord; a path leads through one");
  around.flow = flow;
}

// Takes the bijectors of a model, of the bases in it first; returns the innermost base.
template <class T>
const Distribution<T>& take(const Distribution<T>& model, Around<T>& around) {
  const auto* transformed = dynamic_cast<const TransformedDistribution<T>*>(&model);
  if (transformed == nullptr) return model;
  const Distribution<T>& base = take(transformed->base(), around);
  take(transformed->bijector(), around);
  return base;
}

/// Where the rows of a shard are on their paths, and how they move.
template <class T>
struct Moving {
  Var<T> t;         // [B, 1], in the times of the flow
  Var<T> x;         // [B, D]
  Var<T> velocity;  // [B, D]
};

template <class T>
Moving<T> on_paths(const FlowMatchingOptions& options, const Ffjord<T>& flow, const Var<T>& base,
                   const Var<T>& data, const Context<T>& context) {
  Tape<T>& tape = data.tape();
  const TensorView<T> x0 = base.value();
  const TensorView<T> x1 = data.value();
  const Index rows = x1.shape()[0];
  const Index dim = x1.shape()[1];
  const std::vector<Index> order =
      options.path->is_coupled ? coupled(x0, x1) : std::vector<Index>{};
  T* times = tape.new_values(rows);
  T* x = tape.new_values(rows * dim);
  T* velocity = tape.new_values(rows * dim);
  T* noise = tape.new_values(rows * dim);
  const RandomKey key = context.random.fold(1);
  key.fold(0).uniform(std::span<T>(times, static_cast<std::size_t>(rows)), context.first_row);
  key.fold(1).normal(std::span<T>(noise, static_cast<std::size_t>(rows * dim)),
                     context.first_row * static_cast<std::uint64_t>(dim));
  const double length = flow.options().t1 - flow.options().t0;
  for (Index i = 0; i < rows; ++i) {
    const auto s = static_cast<double>(times[i]);
    const Point p = options.path->at(s, options.scale);
    const Index from = order.empty() ? i : order[static_cast<std::size_t>(i)];
    for (Index d = 0; d < dim; ++d) {
      const auto a = static_cast<double>(x0(from, d));
      const auto b = static_cast<double>(x1(i, d));
      const auto e = static_cast<double>(noise[i * dim + d]);
      x[d * rows + i] = static_cast<T>(p.a * a + p.b * b + p.c * e);
      velocity[d * rows + i] = static_cast<T>((p.da * a + p.db * b + p.dc * e) / length);
    }
    times[i] = static_cast<T>(flow.options().t0 + s * length);
  }
  const NodeShape shape = tape.keep_shape({rows, dim});
  return {tape.borrow(tape.keep_shape({rows, 1}), times), tape.borrow(shape, x),
          tape.borrow(shape, velocity)};
}

}  // namespace

std::span<const MatchingPath> matching_paths() {
  return paths;
}

const MatchingPath& matching_path_named(std::string_view name) {
  std::string names;
  for (const MatchingPath& path : paths) {
    if (path.name == name) return path;
    names += (names.empty() ? "" : ", ") + std::string(path.name);
  }
  fail("matching_path", "one of " + names + " is needed, got " + std::string(name));
}

template <class T>
FlowMatching<T>::FlowMatching(const FlowMatchingOptions& options) : options_(options) {
  require(options.path != nullptr, "flow_matching", "a path is needed, got null");
  require(options.scale >= 0 && std::isfinite(options.scale), "flow_matching",
          [&] { return "scale must not be negative, got " + ode::short_number(options.scale); });
}

template <class T>
Var<T> FlowMatching<T>::of_rows(const Distribution<T>& model, const Var<T>& x,
                                Context<T>& context) const {
  Around<T> around;
  const Distribution<T>& start = take(model, around);
  require(around.flow != nullptr, "flow_matching", "the model has no Ffjord");
  Var<T> base = start.sample(x.tape(), x.shape()[0], context);
  for (const Bijector<T>* part : around.before) base = part->forward(base, context);
  Var<T> data = x;
  for (std::size_t k = around.after.size(); k-- > 0;)
    data = around.after[k]->inverse(data, context);
  const Moving<T> moving = on_paths(options_, *around.flow, base, data, context);
  ++context.evaluations;
  const Var<T> slope = around.flow->field().slope_for_tangents(moving.t, moving.x, context.given);
  return mean(square(slope - moving.velocity), {1});
}

template class FlowMatching<float>;
template class FlowMatching<double>;

}  // namespace fjord::flows
