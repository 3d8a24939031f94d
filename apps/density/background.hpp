/// The part of a density that covers rows far from all others.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fjord/apps/density/baseline.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps::density {

/// A mixture of normal distributions that takes part in a density: flows know nothing of rows far
/// from all others, and their tails would make one such row count for more than a thousand usual
/// ones. It is one of the standard numbers of the columns' maps, as the flows are: what it draws
/// has the signs and bounds of the columns.
struct Background {
  static constexpr double least_share = 0.001;
  // Columns of few numbers suit a mixture better than a flow: its parts can be narrow.
  static constexpr double most_share = 0.95;

  NormalMixture mixture;       ///< without parts for no background
  double share = least_share;  ///< of the mass, in (0, 1)
};

/// The mixture as a distribution of a model.
template <class T>
std::unique_ptr<flows::Distribution<T>> distribution_of(const NormalMixture& mixture);

/// A density and its background, both of standard numbers.
template <class T>
std::unique_ptr<flows::Distribution<T>> before_background(
    std::unique_ptr<flows::Distribution<T>> density, const Background& background);

/// The share, between least_share and most_share, that makes the log-densities of rows largest on
/// average, their weights as given; above a half only if that is better by two standard errors of
/// the difference.
///
/// Shapes:  of the same rows: by the density, by the background, weights.
double best_share(std::span<const double> density, std::span<const double> background,
                  const std::vector<double>& weights);

/// A mixture as tensors, and back.
nn::State state_of(const NormalMixture& mixture);
NormalMixture mixture_of(const nn::State& state);

}  // namespace fjord::apps::density
