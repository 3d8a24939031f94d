#include "fjord/apps/density/model.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/distributions/mixture.hpp"
#include "fjord/flows/layered_flows.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/standardise_given.hpp"

namespace fjord::apps::density {
namespace {

template <class T>
std::unique_ptr<flows::Bijector<T>> make_block(const Architecture& architecture,
                                               const flows::SolverSettings& solver,
                                               const RandomKey& random) {
  constexpr auto time_input = nn::TimeInput::concat;
  std::vector<Index> sizes{nn::input_width(time_input, architecture.dim) + architecture.given};
  sizes.insert(sizes.end(), architecture.hidden.begin(), architecture.hidden.end());
  sizes.push_back(architecture.dim);
  auto network = std::make_unique<nn::Mlp<T>>(sizes, nn::activation_named<T>("tanh"), random);
  const nn::NamedParameters<T> parameters = nn::parameters_of(*network);
  for (auto last = parameters.end() - 2; last != parameters.end(); ++last)
    std::ranges::fill(last->parameter->mutable_values(), T(0));
  return std::make_unique<flows::Ffjord<T>>(
      std::make_unique<flows::MlpField<T>>(std::move(network), time_input, architecture.given),
      flows::FfjordOptions{.solver = solver});
}

template <class T>
std::unique_ptr<flows::Bijector<T>> make_splines(const Architecture& architecture,
                                                 const RandomKey& random) {
  return flows::make_spline_autoregressive<T>(
      {architecture.dim, architecture.blocks, {architecture.hidden, "silu", architecture.given}},
      {}, random);
}

// A x + shift that makes of N(0, I) the normal distribution of the numbers after the first `given`,
// but for the shift that depends on these.
template <class T>
std::unique_ptr<flows::Bijector<T>> make_triangular(const Gaussian& start, std::size_t given) {
  const std::size_t n = start.mean().size();
  auto map = std::make_unique<flows::Triangular<T>>(static_cast<Index>(n - given));
  const nn::NamedParameters<T> parameters = nn::parameters_of(*map);
  const std::span<T> shift = parameters[0].parameter->mutable_values();
  const std::span<T> triangle = parameters[1].parameter->mutable_values();
  for (std::size_t i = given, at = 0; i < n; ++i) {
    shift[i - given] = static_cast<T>(start.mean()[i]);
    for (std::size_t k = given; k < i; ++k) triangle[at++] = static_cast<T>(start.factor(i, k));
    triangle[at++] = static_cast<T>(std::log(start.factor(i, i)));
  }
  return map;
}

// The slopes of row i of the mean in the given numbers g: with the factor L of the covariance, in
// blocks, the mean is m + L_cg L_gg^-1 (g - m_g).
std::vector<double> slopes_of(const Gaussian& start, std::size_t given, std::size_t i) {
  std::vector<double> slopes(given);
  for (std::size_t k = given; k-- > 0;) {
    double sum = start.factor(i, k);
    for (std::size_t j = k + 1; j < given; ++j) sum -= slopes[j] * start.factor(j, k);
    slopes[k] = sum / start.factor(k, k);
  }
  return slopes;
}

// Its scale is that of the normal distribution at first, and then between a twentieth and twenty
// times as much: where the given numbers are far out, the mean goes on as a straight line does, in
// standard numbers, and the noise does not grow as an exponential.
template <class T>
std::unique_ptr<flows::Bijector<T>> make_shift(const Gaussian& start, std::size_t given) {
  const std::size_t dim = start.mean().size() - given;
  auto map = std::make_unique<flows::ConditionalAffine<T>>(
      static_cast<Index>(dim), static_cast<Index>(given),
      flows::ConditionalAffineOptions{.hidden = {}, .bound = 3}, RandomKey(0));
  const nn::NamedParameters<T> parameters = nn::parameters_of(*map);
  const std::span<T> weight = parameters[0].parameter->mutable_values();  // [2 D, G]
  const std::span<T> bias = parameters[1].parameter->mutable_values();
  for (std::size_t d = 0; d < dim; ++d) {
    const std::vector<double> slopes = slopes_of(start, given, given + d);
    double at_zero = 0;
    for (std::size_t k = 0; k < given; ++k) {
      weight[k * 2 * dim + d] = static_cast<T>(slopes[k]);
      at_zero -= slopes[k] * start.mean()[k];
    }
    bias[d] = static_cast<T>(at_zero);
  }
  return map;
}

}  // namespace

template <class T>
std::unique_ptr<Flow<T>> make_flow(const Architecture& architecture, const Gaussian& start,
                                   const flows::SolverSettings& solver, const RandomKey& random) {
  std::vector<std::unique_ptr<flows::Bijector<T>>> parts;
  if (architecture.flow == "spline") {
    parts.push_back(make_splines<T>(architecture, random));
  } else {
    for (Index k = 0; k < architecture.blocks; ++k)
      parts.push_back(
          make_block<T>(architecture, solver, random.fold(static_cast<std::uint64_t>(k))));
  }
  const auto given = static_cast<std::size_t>(architecture.given);
  parts.push_back(make_triangular<T>(start, given));
  if (given > 0) parts.push_back(make_shift<T>(start, given));
  const auto dim = static_cast<std::size_t>(architecture.dim);
  auto base = std::make_unique<flows::DiagonalNormal<T>>(std::vector<double>(dim, 0.0),
                                                         std::vector<double>(dim, 1.0));
  return std::make_unique<Flow<T>>(std::move(base),
                                   std::make_unique<flows::Chain<T>>(std::move(parts)));
}

template <class T>
std::unique_ptr<flows::Distribution<T>> blend_of(Flows<T> members, const Background& background) {
  require(!members.empty(), "density", "at least one flow is needed");
  std::unique_ptr<flows::Distribution<T>> blend;
  if (members.size() == 1) {
    blend = std::move(members[0]);
  } else {
    std::vector<std::unique_ptr<flows::Distribution<T>>> components;
    for (auto& member : members) components.push_back(std::move(member));
    blend = std::make_unique<flows::Mixture<T>>(std::move(components));
  }
  if (background.mixture.shares.empty()) return blend;
  return before_background<T>(std::move(blend), background);
}

template <class T>
std::unique_ptr<flows::Distribution<T>> in_table(std::unique_ptr<flows::Distribution<T>> density,
                                                 const std::vector<ColumnMap>& maps, Index given) {
  const auto first = maps.begin() + given;
  auto model = std::make_unique<Flow<T>>(std::move(density), bijector_of<T>({first, maps.end()}));
  if (given == 0) return model;
  std::vector<double> means;
  std::vector<double> deviations;
  for (auto map = maps.begin(); map != first; ++map) {
    means.push_back(map->mean);
    deviations.push_back(map->deviation);
  }
  return std::make_unique<flows::StandardiseGiven<T>>(std::move(model), std::move(means),
                                                      std::move(deviations));
}

template <class T>
optim::ParameterGroups<T> parameter_groups(Flow<T>& flow, double weight_decay) {
  optim::ParameterGroup<T> networks{{}, 1, weight_decay};
  optim::ParameterGroup<T> triangular{{}, 0.1, 0.0};
  for (const nn::NamedParameter<T>& p : nn::parameters_of(flow)) {
    // Not the conditional affine map, which is the last part.
    const bool is_network = p.name.find(".field.network.") != std::string::npos ||
                            p.name.find(".parts.0.parts.") != std::string::npos;
    (is_network ? networks : triangular).parameters.push_back(p.parameter);
  }
  return optim::ParameterGroups<T>({std::move(networks), std::move(triangular)});
}

#define FJORD_INSTANTIATE(T)                                                                   \
  template std::unique_ptr<Flow<T>> make_flow(const Architecture&, const Gaussian&,            \
                                              const flows::SolverSettings&, const RandomKey&); \
  template std::unique_ptr<flows::Distribution<T>> blend_of(Flows<T>, const Background&);      \
  template std::unique_ptr<flows::Distribution<T>> in_table(                                   \
      std::unique_ptr<flows::Distribution<T>>, const std::vector<ColumnMap>&, Index);          \
  template optim::ParameterGroups<T> parameter_groups(Flow<T>&, double);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::apps::density
