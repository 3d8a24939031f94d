#include "fjord/apps/density/background.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/apps/density/comparison.hpp"
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

template <class T>
std::unique_ptr<flows::Distribution<T>> distribution_of(const NormalMixture& mixture) {
  std::vector<std::unique_ptr<flows::Distribution<T>>> parts;
  for (std::size_t k = 0; k < mixture.shares.size(); ++k)
    parts.push_back(std::make_unique<flows::FullNormal<T>>(mixture.means[k], mixture.factors[k]));
  return weighted_mixture<T>(std::move(parts), mixture.shares);
}

template <class T>
std::unique_ptr<flows::Distribution<T>> before_background(
    std::unique_ptr<flows::Distribution<T>> density, const Background& background) {
  std::vector<std::unique_ptr<flows::Distribution<T>>> both;
  both.push_back(std::move(density));
  both.push_back(distribution_of<T>(background.mixture));
  return weighted_mixture<T>(std::move(both), {1 - background.share, background.share});
}

double best_share(std::span<const double> density, std::span<const double> background,
                  const std::vector<double>& weights) {
  const auto reached_by = [&](double share) {
    Tensor<double> sums = Tensor<double>::zeros({static_cast<Index>(density.size())});
    for (std::size_t i = 0; i < density.size(); ++i) {
      const double a = std::log1p(-share) + density[i];
      const double b = std::log(share) + background[i];
      sums.storage()[i] = std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
    }
    return sums;
  };
  double best = Background::least_share;
  Tensor<double> most = reached_by(best);
  // Whether the mean of the differences from the best is above so many of its standard errors.
  const auto is_better = [&](const Tensor<double>& found, double errors) {
    Tensor<double> gain = found;
    for (std::size_t i = 0; i < density.size(); ++i) gain.storage()[i] -= most.storage()[i];
    const Reached reached = density::reached(gain, weights, "background");
    return reached.mean > errors * reached.standard_error.value_or(0);
  };
  for (const double share : {0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8,
                             0.9, Background::most_share}) {
    const Tensor<double> found = reached_by(share);
    // The mixture was chosen by the same rows, so that chance favours it.
    if (!is_better(found, share > 0.5 ? 2 : 0)) continue;
    most = found;
    best = share;
  }
  return best;
}

nn::State state_of(const NormalMixture& mixture) {
  nn::State state;
  state.tensors["means"] = joined_numbers(mixture.means);
  state.tensors["factors"] = joined_numbers(mixture.factors);
  state.tensors["shares"] = joined_numbers({mixture.shares});
  return state;
}

NormalMixture mixture_of(const nn::State& state) {
  const auto numbers = [&](const char* name) -> const Tensor<double>& {
    return std::get<Tensor<double>>(state.tensors.at(name));
  };
  NormalMixture mixture;
  mixture.shares = numbers("shares").to_vector();
  mixture.means = parted_numbers(numbers("means"), mixture.shares.size());
  mixture.factors = parted_numbers(numbers("factors"), mixture.shares.size());
  return mixture;
}

#define FJORD_INSTANTIATE(T)                                                              \
  template std::unique_ptr<flows::Distribution<T>> distribution_of(const NormalMixture&); \
  template std::unique_ptr<flows::Distribution<T>> before_background(                     \
      std::unique_ptr<flows::Distribution<T>>, const Background&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::apps::density
