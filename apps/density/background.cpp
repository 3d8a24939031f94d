#include "fjord/apps/density/background.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/apps/density/row_loops.hpp"
#include "fjord/flows/distributions/full_normal.hpp"
#include "fjord/flows/distributions/mixture.hpp"

namespace fjord::apps::density {
namespace {

template <class T>
std::unique_ptr<flows::Distribution<T>> weighted_mixture(
    std::vector<std::unique_ptr<flows::Distribution<T>>> components,
    const std::vector<double>& shares) {
  auto mixture = std::make_unique<flows::Mixture<T>>(std::move(components));
  std::ranges::transform(shares, mixture->logits().mutable_values().begin(),
                         [](double share) { return static_cast<T>(std::log(share)); });
  return mixture;
}

template <class T>
std::unique_ptr<flows::Distribution<T>> distribution_of(const NormalMixture& mixture) {
  std::vector<std::unique_ptr<flows::Distribution<T>>> parts;
  for (std::size_t k = 0; k < mixture.shares.size(); ++k)
    parts.push_back(std::make_unique<flows::FullNormal<T>>(mixture.means[k], mixture.factors[k]));
  return weighted_mixture<T>(std::move(parts), mixture.shares);
}

template <class T>
std::unique_ptr<flows::Distribution<T>> distribution_of(const WeightedRows& kernels, double width) {
  const auto dim = static_cast<std::size_t>(kernels.values.shape()[1]);
  const std::vector<double> numbers = kernels.values.to_vector();
  std::vector<std::unique_ptr<flows::Distribution<T>>> parts;
  for (auto row = numbers.begin(); row != numbers.end(); row += static_cast<std::ptrdiff_t>(dim)) {
    parts.push_back(std::make_unique<flows::DiagonalNormal<T>>(
        std::vector<double>(row, row + static_cast<std::ptrdiff_t>(dim)),
        std::vector<double>(dim, width)));
  }
  return weighted_mixture<T>(std::move(parts), kernels.weights);
}

// Adds the wide normal distribution to the parts.
void add_wide_part(NormalMixture& mixture, double share, std::span<const ColumnMap> maps) {
  mixture.shares.push_back(share);
  mixture.means.emplace_back(maps.size(), 0.0);
  std::vector<double>& factor = mixture.factors.emplace_back();
  for (std::size_t i = 0; i < maps.size(); ++i) {
    factor.resize(factor.size() + i);
    factor.push_back(maps[i].shape == ColumnMap::Shape::straight ? 10 : 3);
  }
}

// The numbers of all lists, one after another.
Tensor<double> joined_numbers(const std::vector<std::vector<double>>& lists) {
  std::vector<double> all;
  for (const std::vector<double>& list : lists) all.insert(all.end(), list.begin(), list.end());
  return Tensor<double>::from({static_cast<Index>(all.size())}, all);
}

std::vector<std::vector<double>> parted_numbers(const Tensor<double>& all, std::size_t lists) {
  std::vector<std::vector<double>> parts;
  for (std::size_t k = 0; k < lists; ++k) {
    const std::size_t count = all.storage().size() / lists;
    const std::span<const double> part = all.storage().subspan(k * count, count);
    parts.emplace_back(part.begin(), part.end());
  }
  return parts;
}

}  // namespace

NormalMixture with_wide_part(NormalMixture mixture, std::span<const ColumnMap> maps) {
  constexpr double share = 0.001;
  for (double& other : mixture.shares) other *= 1 - share;
  add_wide_part(mixture, share, maps);
  return mixture;
}

Background wide_background(std::span<const ColumnMap> maps) {
  constexpr double share = 1e-4;
  Background background;
  add_wide_part(background.mixture, 1, maps);
  background.shares = {1 - share, share};
  return background;
}

template <class T>
std::vector<std::unique_ptr<flows::Distribution<T>>> parts_of(const Background& background) {
  std::vector<std::unique_ptr<flows::Distribution<T>>> parts;
  if (background.mixture.shares.empty()) return parts;
  parts.push_back(distribution_of<T>(background.mixture));
  if (!background.kernels.weights.empty())
    parts.push_back(distribution_of<T>(background.kernels, background.width));
  return parts;
}

template <class T>
std::unique_ptr<flows::Distribution<T>> before_background(
    std::unique_ptr<flows::Distribution<T>> density, const Background& background) {
  std::vector<std::unique_ptr<flows::Distribution<T>>> all;
  all.push_back(std::move(density));
  for (auto& part : parts_of<T>(background)) all.push_back(std::move(part));
  return weighted_mixture<T>(std::move(all), background.shares);
}

std::vector<double> first_shares(std::size_t densities) {
  constexpr double little = 0.001;
  std::vector<double> shares(densities, little);
  shares[0] = 1 - little * static_cast<double>(densities - 1);
  return shares;
}

// By expectation maximisation, whose maximum is the only one.
std::vector<double> best_shares(const std::vector<Tensor<double>>& log_densities,
                                std::vector<double> weights) {
  constexpr double rows_added = 0.5;
  constexpr int most_rounds = 1'000;
  constexpr double least_change = 1e-9;
  const std::size_t count = log_densities.size();
  for (const Tensor<double>& each : log_densities)
    weights.resize(std::min(weights.size(), each.storage().size()));
  std::vector<double> relative(count * weights.size());  // to the densest, of each row
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double most = log_densities[0].storage()[i];
    for (const Tensor<double>& each : log_densities) most = std::max(most, each.storage()[i]);
    for (std::size_t k = 0; k < count; ++k)
      relative[i * count + k] = std::exp(log_densities[k].storage()[i] - most);
  }
  const double unit = static_cast<double>(weights.size()) / sum_of(weights);
  std::vector<double> shares(count, 1 / static_cast<double>(count));
  double change = 1;
  for (int round = 0; round < most_rounds && change > least_change; ++round) {
    std::vector<double> rows(count, rows_added);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::span<const double> here(relative.data() + i * count, count);
      double density = 0;
      for (std::size_t k = 0; k < count; ++k) density += shares[k] * here[k];
      for (std::size_t k = 0; k < count; ++k)
        rows[k] += weights[i] * unit * shares[k] * here[k] / density;
    }
    const double all = sum_of(rows);
    change = 0;
    for (std::size_t k = 0; k < count; ++k) {
      change = std::max(change, std::abs(rows[k] / all - shares[k]));
      shares[k] = rows[k] / all;
    }
  }
  return shares;
}

nn::State state_of(const Background& background) {
  const NormalMixture& mixture = background.mixture;
  nn::State state;
  state.tensors["means"] = joined_numbers(mixture.means);
  state.tensors["factors"] = joined_numbers(mixture.factors);
  state.tensors["mixture_shares"] = joined_numbers({mixture.shares});
  state.tensors["kernels"] = background.kernels.values;
  state.tensors["weights"] = joined_numbers({background.kernels.weights});
  state.tensors["width"] = joined_numbers({{background.width}});
  state.tensors["shares"] = joined_numbers({background.shares});
  return state;
}

Background background_of(const nn::State& state) {
  const auto numbers = [&](const char* name) -> const Tensor<double>& {
    return std::get<Tensor<double>>(state.tensors.at(name));
  };
  Background background;
  NormalMixture& mixture = background.mixture;
  mixture.shares = numbers("mixture_shares").to_vector();
  mixture.means = parted_numbers(numbers("means"), mixture.shares.size());
  mixture.factors = parted_numbers(numbers("factors"), mixture.shares.size());
  background.kernels = {numbers("kernels"), numbers("weights").to_vector()};
  background.width = numbers("width").to_vector()[0];
  background.shares = numbers("shares").to_vector();
  return background;
}

#define FJORD_INSTANTIATE(T)                                                                 \
  template std::vector<std::unique_ptr<flows::Distribution<T>>> parts_of(const Background&); \
  template std::unique_ptr<flows::Distribution<T>> before_background(                        \
      std::unique_ptr<flows::Distribution<T>>, const Background&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::apps::density
