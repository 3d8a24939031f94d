/// What takes part in a density beside the flows.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fjord/apps/density/baseline.hpp"
#include "fjord/apps/density/column_map.hpp"
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

  NormalMixture mixture;            ///< without parts for no background
  WeightedRows kernels = {};        ///< rows with normal kernels, or none
  double width = 1;                 ///< of the kernels
  std::vector<double> shares = {};  ///< of the density, the mixture and the kernels, if any
};

/// The mixture with a thousandth of its mass in a normal distribution about 0, of deviation 10 in
/// columns that are straight, and 3 in others, which draw in what is far out: of a logarithm, ten
/// deviations are numbers that no table has. Where few rows chose the mixture, all its parts may be
/// narrow; one row far from them would then count for more than all others.
NormalMixture with_wide_part(NormalMixture mixture, std::span<const ColumnMap> maps);

/// The background of a density of these columns given others: that normal distribution, whatever
/// is given, with a share of a ten-thousandth.
Background wide_background(std::span<const ColumnMap> maps);

/// The parts of the background: the mixture and, if there are any, the kernels; none without a
/// mixture.
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

/// A background as tensors, and back.
nn::State state_of(const Background& background);
Background background_of(const nn::State& state);

}  // namespace fjord::apps::density
