/// What takes part in a density beside the flows.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "fjord/apps/density/baseline.hpp"
#include "fjord/apps/density/gaussian.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps::density {

/// Simple densities that take part: flows know nothing of rows far from all others, and their tails
/// would make one such row count for more than a thousand usual ones; and the fewer the rows, the
/// better it is not to believe one model. They are densities of the standard numbers of the maps of
/// the columns, as the flows are: what they draw has the signs and bounds of the columns.
struct Background {
  /// With more rows, kernels are worth little, and would make the model large.
  static constexpr Index most_kernels = 256;

  NormalMixture mixture;            ///< without parts for none
  WeightedRows kernels = {};        ///< rows with normal kernels, or none
  double width = 1;                 ///< of the kernels
  std::vector<double> shares = {};  ///< of the density and those of these parts that there are

  /// Of densities of some columns given others, the only part: a normal distribution of the given
  /// numbers and the row's, with ten times the deviations of the latter given the former.
  std::optional<Gaussian> wide = {};
  Index given = 0;
};

/// The mixture with a thousandth of its mass in N(0, 10^2 I). Where few rows chose the mixture, all
/// its parts may be narrow; one row far from them would then count for more than all others.
NormalMixture with_wide_part(NormalMixture mixture);

/// The background of a density given so many numbers, whose normal distribution with those of the
/// row this is; its share is a ten-thousandth.
Background wide_background(Gaussian normal, Index given);

/// The parts of the background that there are.
template <class T>
std::vector<std::unique_ptr<flows::Distribution<T>>> parts_of(const Background& background);

/// A density and its background, both of standard numbers.
template <class T>
std::unique_ptr<flows::Distribution<T>> before_background(
    std::unique_ptr<flows::Distribution<T>> density, const Background& background);

/// The shares of densities before any rows were scored: a thousandth for each but the first.
std::vector<double> first_shares(std::size_t densities);

/// The shares of densities that are likeliest after rows, of which these are the log-densities by
/// each and the weights, and half a row more for each density that only this one explains. Where
/// the numbers of log-densities differ, they are of the first rows, and the least number counts.
///
/// Source:  Smyth & Wolpert, Linearly combining density estimators via stacking, Machine Learning
///          36, 1999; Krichevsky & Trofimov, The performance of universal encoding, IEEE Trans.
///          Inf. Theory 27, 1981, for the halves.
std::vector<double> best_shares(const std::vector<Tensor<double>>& log_densities,
                                std::vector<double> weights);

/// A background of a mixture and kernels as tensors, and back.
nn::State state_of(const Background& background);
Background background_of(const nn::State& state);

}  // namespace fjord::apps::density
