#include "fjord/flows/residual_flow.hpp"

#include <cmath>

#include "fjord/autodiff/ops/determinant.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/contraction_root.hpp"
#include "fjord/flows/divergence.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

// Terms of the series that every estimate has.
constexpr int certain_terms = 4;

std::vector<Index> residual_sizes(const ResidualFlowSettings& settings) {
  require(settings.dim > 0 && settings.network.given >= 0 && settings.exact_columns >= 0,
          "residual_flow", "dim must be positive, given and exact_columns not negative");
  require(settings.lipschitz > 0 && settings.lipschitz < 1, "residual_flow", [&] {
    return "lipschitz must be in (0, 1), got " + ode::short_number(settings.lipschitz);
  });
  return network_sizes(settings.dim + settings.network.given, settings.network, settings.dim);
}

template <class T>
ResidualFlowSettings read_residual_flow(nn::PartReader<T>& reader) {
  ResidualFlowSettings settings{reader.size("dim"), reader.number("lipschitz"),
                                reader.count("exact_columns"), read_conditioner(reader)};
  expect_network(reader, residual_sizes(settings));
  return settings;
}

// The number of terms of an estimate: P(n >= certain_terms + j) = ratio^j.
int drawn_terms(const RandomKey& random, double ratio) {
  double drawn = 0;
  random.uniform(std::span(&drawn, 1));
  return certain_terms + static_cast<int>(std::log1p(-drawn) / std::log(ratio));
}

}  // namespace

template <class T>
ResidualFlow<T>::ResidualFlow(ResidualFlowSettings settings, const RandomKey& random)
    : settings_(std::move(settings)),
      network_(residual_sizes(settings_), nn::activation_named<T>(settings_.network.activation),
               random, settings_.lipschitz) {
  zero_last_layer(network_);
}

template <class T>
ResidualFlow<T>::ResidualFlow(nn::PartReader<T>& reader)
    : ResidualFlow(read_residual_flow(reader), RandomKey(0)) {}

template <class T>
Var<T> ResidualFlow<T>::Network::operator()(const Var<T>& y) const {
  return mlp.forward(given.is_empty() ? y : concatenate<T>({y, given}, 1), layers);
}

template <class T>
typename ResidualFlow<T>::Network ResidualFlow<T>::bind(const Var<T>& rows,
                                                        const Context<T>& context) const {
  check_rows(rows, settings_.dim, "residual_flow");
  const Index given = settings_.network.given;
  if (given > 0) check_given(context.given, rows, given, "residual_flow");
  return {network_, network_.bind(rows.tape()), given > 0 ? context.given : Var<T>()};
}

template <class T>
Var<T> ResidualFlow<T>::forward(const Var<T>& x, Context<T>& context) const {
  const Network g = bind(x, context);
  return contraction_root<T>(std::cref(g), x, settings_.lipschitz);
}

template <class T>
Var<T> ResidualFlow<T>::inverse(const Var<T>& y, Context<T>& context) const {
  return y + bind(y, context)(y);
}

template <class T>
WithLogDet<T> ResidualFlow<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  const Network g = bind(x, context);
  const Var<T> y = contraction_root<T>(std::cref(g), x, settings_.lipschitz);
  return {y, -log_det(residual_jacobians(y, g(y)))};
}

template <class T>
WithLogDet<T> ResidualFlow<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  const Network g = bind(y, context);
  const Var<T> own = identity(y);
  const Var<T> image = g(own);
  const bool is_estimated =
      context.norm == ode::ErrorNorm::rms && settings_.dim > settings_.exact_columns;
  return {own + image,
          is_estimated ? series(own, image, context) : log_det(residual_jacobians(own, image))};
}

template <class T>
Var<T> ResidualFlow<T>::series(const Var<T>& y, const Var<T>& image, Context<T>& context) const {
  const RandomKey key = context.random.fold(context.solves++);
  const Var<T> probes = draw_probes(y, 1, Probe::rademacher, key, context.first_row);
  const int terms = drawn_terms(key.fold(0), settings_.lipschitz);
  Var<T> power = probes;
  Var<T> weighted;
  for (int k = 1; k <= terms; ++k) {
    power = pushforward(y, power, image);
    const double share = std::pow(settings_.lipschitz, -std::max(0, k - certain_terms));
    const Var<T> term = power * static_cast<T>((k % 2 == 1 ? share : -share) / k);
    weighted = k == 1 ? term : weighted + term;
  }
  return sum(weighted * probes, {1, 2});
}

template <class T>
nn::Description<T> ResidualFlow<T>::describe() {
  nn::Description<T> description("residual_flow");
  description.set("dim", settings_.dim)
      .set("lipschitz", settings_.lipschitz)
      .set("exact_columns", settings_.exact_columns);
  set_conditioner(description, settings_.network);
  return description.inner("network", network_);
}

template class ResidualFlow<float>;
template class ResidualFlow<double>;

}  // namespace fjord::flows
