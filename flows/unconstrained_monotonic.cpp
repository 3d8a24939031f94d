#include "fjord/flows/unconstrained_monotonic.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/flows/conditioner.hpp"
#include "fjord/flows/increasing_root.hpp"
#include "fjord/flows/spline_bins.hpp"
#include "fjord/flows/toys/quadrature.hpp"

namespace fjord::flows {
namespace {

constexpr double log_bound = 7;
// By how much the sum's slope may differ from the integrand before the sum counts as no integral: a
// factor of 2. It increases wherever this holds.
constexpr double log_off = 0.69;

std::vector<Index> sizes_of(const UnconstrainedMonotonicSettings& settings) {
  return network_sizes(settings.signal + 1, {settings.hidden, settings.activation, 0}, 1);
}

template <class T>
UnconstrainedMonotonicSettings expected_settings(nn::PartReader<T>& reader) {
  UnconstrainedMonotonicSettings settings{reader.size("signal"), reader.sizes("hidden"),
                                          reader.text("activation"), reader.size("nodes")};
  expect_network(reader, sizes_of(settings));
  return settings;
}

}  // namespace

template <class T>
UnconstrainedMonotonic<T>::UnconstrainedMonotonic(const UnconstrainedMonotonicSettings& settings,
                                                  const RandomKey& random)
    : settings_(settings) {
  require(settings.signal > 0 && settings.nodes > 0 && settings.nodes <= 256,
          "unconstrained_monotonic", [&] {
            return "a positive signal and 1 to 256 nodes are needed, got " +
                   std::to_string(settings.signal) + " and " + std::to_string(settings.nodes);
          });
  network_ = std::make_unique<nn::Mlp<T>>(sizes_of(settings),
                                          nn::activation_named<T>(settings.activation), random);
  zero_last_layer(*network_);
  nodes_ = Tensor<T>::zeros({settings.nodes, 1, 1, 1});
  weights_ = nodes_;
  const std::vector<Node> nodes = gauss_legendre(static_cast<int>(settings.nodes));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes_.storage()[i] = static_cast<T>((nodes[i].x + 1) / 2);
    weights_.storage()[i] = static_cast<T>(nodes[i].weight / 2);
  }
}

template <class T>
UnconstrainedMonotonic<T>::UnconstrainedMonotonic(nn::PartReader<T>& reader)
    : UnconstrainedMonotonic(expected_settings(reader), RandomKey(0)) {}

template <class T>
Var<T> UnconstrainedMonotonic<T>::log_integrand(const Var<T>& places, const Var<T>& signals) const {
  const Var<T> input = concatenate<T>({places, signals}, -1);
  return tanh(network_->forward(input) * T(1 / log_bound)) * T(log_bound);
}

template <class T>
WithLogSlope<T> UnconstrainedMonotonic<T>::apply(const Var<T>& x, const Var<T>& parameters) const {
  const Shape shape = x.shape();
  const Index dim = shape[1];
  const Index signal = settings_.signal;
  const Var<T> signals =
      swap_axes(reshape(blocks(parameters, dim, 0, signal), {shape[0], signal, dim}), 1, 2);
  const Var<T> end = reshape(x, {shape[0], dim, 1});
  const Var<T> places = end * x.tape().borrow(nodes_);
  const Var<T> integrand =
      exp(log_integrand(places, broadcast_to(signals, {settings_.nodes, shape[0], dim, signal})));
  const Var<T> integral = end * sum(integrand * x.tape().borrow(weights_), {0});
  // The slope of the sum, not of the integral: the density is that of the map that was applied.
  const Var<T> log_slope = log(pushforward(end, ones_like(end), integral));
  const Var<T> off = abs(log_slope - log_integrand(end, signals));
  const Var<T> constant = blocks(parameters, dim, signal, signal + 1);
  return {constant + reshape(integral, shape),
          reshape(where(off <= T(log_off), log_slope, std::numeric_limits<T>::quiet_NaN()), shape)};
}

template <class T>
WithLogSlope<T> UnconstrainedMonotonic<T>::invert(const Var<T>& y, const Var<T>& parameters) const {
  const IncreasingMap<T> map = [&](const Var<T>& x) { return apply(x, parameters); };
  const Var<T> x = increasing_root(map, y, std::exp(-log_bound));
  return {x, -apply(x, parameters).log_slope};
}

template <class T>
nn::Description<T> UnconstrainedMonotonic<T>::describe() {
  return nn::Description<T>("unconstrained_monotonic")
      .set("signal", settings_.signal)
      .set("hidden", settings_.hidden)
      .set("activation", settings_.activation)
      .set("nodes", settings_.nodes)
      .inner("network", *network_);
}

template class UnconstrainedMonotonic<float>;
template class UnconstrainedMonotonic<double>;

}  // namespace fjord::flows
