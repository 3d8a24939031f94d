/// The flows that are fitted to tables.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fjord/apps/density/background.hpp"
#include "fjord/apps/density/column_map.hpp"
#include "fjord/apps/density/gaussian.hpp"
#include "fjord/apps/density/training.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/optim/parameter_groups.hpp"

namespace fjord::apps::density {

struct Architecture {
  std::string flow;  ///< ffjord or spline
  Index dim = 1;
  Index given = 0;  ///< numbers that are known of each row
  Index blocks = 1;
  std::vector<Index> hidden;  ///< widths of the hidden layers of every network
};

/// FFJORD blocks, or layers of autoregressive rational-quadratic splines, then a triangular map
/// and, if numbers are given, a shift that is linear in them. The blocks begin as the identity, and
/// the maps after them make this normal distribution, of the given numbers and the row: training
/// begins there.
///
/// Errors:  std::invalid_argument as the parts of the flow.
template <class T>
std::unique_ptr<Flow<T>> make_flow(const Architecture& architecture, const Gaussian& start,
                                   const flows::SolverSettings& solver, const RandomKey& random);

/// The mean of the densities of flows, and the background if it has a mixture, all of them of
/// standard numbers.
///
/// Errors:  std::invalid_argument if there is no flow.
template <class T>
std::unique_ptr<flows::Distribution<T>> blend_of(Flows<T> members, const Background& background);

/// A density of standard numbers in the numbers of the table. The first `given` maps are those of
/// the numbers that are given, which are straight.
///
/// Errors:  std::invalid_argument if T does not hold the units of a column.
template <class T>
std::unique_ptr<flows::Distribution<T>> in_table(std::unique_ptr<flows::Distribution<T>> density,
                                                 const std::vector<ColumnMap>& maps, Index given);

/// The parameters of a flow in two groups, with this decay of the networks' weights; the
/// other maps have none, and a tenth of the rate.
template <class T>
optim::ParameterGroups<T> parameter_groups(Flow<T>& flow, double weight_decay);

}  // namespace fjord::apps::density
