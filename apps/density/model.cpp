#include "fjord/apps/density/model.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/flows/distributions/mixture.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/flows/mlp_field.hpp"

namespace fjord::apps::density {
namespace {

template <class T>
std::unique_ptr<flows::Bijector<T>> make_block(const Architecture& architecture,
                                               const flows::SolverSettings& solver,
                                               const RandomKey& random) {
  constexpr auto time_input = nn::TimeInput::concat;
  std::vector<Index> sizes{nn::input_width(time_input, architecture.dim)};
  sizes.insert(sizes.end(), architecture.hidden.begin(), architecture.hidden.end());
  sizes.push_back(architecture.dim);
  auto network = std::make_unique<nn::Mlp<T>>(sizes, nn::activation_named<T>("tanh"), random);
  const nn::NamedParameters<T> parameters = nn::parameters_of(*network);
  for (auto last = parameters.end() - 2; last != parameters.end(); ++last)
    std::ranges::fill(last->parameter->mutable_values(), T(0));
  return std::make_unique<flows::Ffjord<T>>(
      std::make_unique<flows::MlpField<T>>(std::move(network), time_input),
      flows::FfjordOptions{.solver = solver});
}

// A x + shift that makes a normal distribution of N(0, I).
template <class T>
std::unique_ptr<flows::Bijector<T>> make_triangular(const Gaussian& start) {
  const std::size_t n = start.mean().size();
  auto map = std::make_unique<flows::Triangular<T>>(static_cast<Index>(n));
  const nn::NamedParameters<T> parameters = nn::parameters_of(*map);
  const std::span<T> shift = parameters[0].parameter->mutable_values();
  const std::span<T> triangle = parameters[1].parameter->mutable_values();
  for (std::size_t i = 0, at = 0; i < n; ++i) {
    shift[i] = static_cast<T>(start.mean()[i]);
    for (std::size_t k = 0; k < i; ++k) triangle[at++] = static_cast<T>(start.factor(i, k));
    triangle[at++] = static_cast<T>(std::log(start.factor(i, i)));
  }
  return map;
}

}  // namespace

template <class T>
std::unique_ptr<Flow<T>> make_flow(const Architecture& architecture, const Gaussian& start,
                                   const flows::SolverSettings& solver, const RandomKey& random) {
  std::vector<std::unique_ptr<flows::Bijector<T>>> parts;
  for (Index k = 0; k < architecture.blocks; ++k)
    parts.push_back(
        make_block<T>(architecture, solver, random.fold(static_cast<std::uint64_t>(k))));
  parts.push_back(make_triangular<T>(start));
  const auto dim = static_cast<std::size_t>(architecture.dim);
  auto base = std::make_unique<flows::DiagonalNormal<T>>(std::vector<double>(dim, 0.0),
                                                         std::vector<double>(dim, 1.0));
  return std::make_unique<Flow<T>>(std::move(base),
                                   std::make_unique<flows::Chain<T>>(std::move(parts)));
}

template <class T>
std::unique_ptr<flows::Distribution<T>> density_of_table(Flows<T> members,
                                                         const std::vector<ColumnMap>& maps) {
  require(!members.empty(), "density", "at least one flow is needed");
  std::unique_ptr<flows::Distribution<T>> base;
  if (members.size() == 1) {
    base = std::move(members[0]);
  } else {
    std::vector<std::unique_ptr<flows::Distribution<T>>> components;
    for (auto& member : members) components.push_back(std::move(member));
    base = std::make_unique<flows::Mixture<T>>(std::move(components));
  }
  return std::make_unique<Flow<T>>(std::move(base), bijector_of<T>(maps));
}

template <class T>
optim::ParameterGroups<T> parameter_groups(Flow<T>& flow, double weight_decay) {
  optim::ParameterGroup<T> networks{{}, 1, weight_decay};
  optim::ParameterGroup<T> triangular{{}, 0.1, 0.0};
  for (const nn::NamedParameter<T>& p : nn::parameters_of(flow)) {
    const bool is_network = p.name.find(".network.") != std::string::npos;
    (is_network ? networks : triangular).parameters.push_back(p.parameter);
  }
  return optim::ParameterGroups<T>({std::move(networks), std::move(triangular)});
}

#define FJORD_INSTANTIATE(T)                                                                   \
  template std::unique_ptr<Flow<T>> make_flow(const Architecture&, const Gaussian&,            \
                                              const flows::SolverSettings&, const RandomKey&); \
  template std::unique_ptr<flows::Distribution<T>> density_of_table(                           \
      Flows<T>, const std::vector<ColumnMap>&);                                                \
  template optim::ParameterGroups<T> parameter_groups(Flow<T>&, double);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::apps::density
