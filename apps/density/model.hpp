/// The flows that are fitted to tables.
#pragma once

#include <memory>
#include <vector>

#include "fjord/apps/density/column_map.hpp"
#include "fjord/apps/density/gaussian.hpp"
#include "fjord/apps/density/training.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/optim/parameter_groups.hpp"

namespace fjord::apps::density {

struct Architecture {
  Index dim = 1;
  Index blocks = 1;
  std::vector<Index> hidden;  ///< widths of the hidden layers of every field
};

/// FFJORD blocks, then a triangular map. The blocks begin as the identity, and the triangular map
/// makes this normal distribution: training begins there.
///
/// Errors:  std::invalid_argument as the parts of the flow.
template <class T>
std::unique_ptr<Flow<T>> make_flow(const Architecture& architecture, const Gaussian& start,
                                   const flows::SolverSettings& solver, const RandomKey& random);

/// The mean of the densities of flows over standard numbers, in the numbers of the table.
///
/// Errors:  std::invalid_argument if there is no flow.
template <class T>
std::unique_ptr<flows::Distribution<T>> density_of_table(Flows<T> members,
                                                         const std::vector<ColumnMap>& maps);

/// The parameters of a flow in two groups, with this decay of the networks' weights; the
/// triangular map has none, and a tenth of the rate.
template <class T>
optim::ParameterGroups<T> parameter_groups(Flow<T>& flow, double weight_decay);

}  // namespace fjord::apps::density
