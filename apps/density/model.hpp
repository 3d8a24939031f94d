/// The flows that are fitted to tables.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "fjord/apps/density/gaussian.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/optim/parameter_groups.hpp"

namespace fjord::apps::density {

struct Architecture {
  Index dim = 1;
  Index blocks = 1;
  std::vector<Index> hidden;  ///< widths of the hidden layers of every field
};

/// Means and standard deviations of columns.
struct Units {
  std::vector<double> means;
  std::vector<double> deviations;
};

/// FFJORD blocks, then a triangular map, then, where they are given, the units. The blocks begin as
/// the identity, and the triangular map makes this normal distribution: training begins there.
///
/// Errors:  std::invalid_argument as the parts of the flow.
template <class T>
std::unique_ptr<flows::TransformedDistribution<T>> make_model(
    const Architecture& architecture, const Gaussian& start, const flows::SolverSettings& solver,
    const RandomKey& random, const std::optional<Units>& units = {});

/// The parameters of a model in two groups, with this decay of the networks' weights; the
/// triangular map has none, and a tenth of the rate.
template <class T>
optim::ParameterGroups<T> parameter_groups(flows::Distribution<T>& model, double weight_decay);

}  // namespace fjord::apps::density
