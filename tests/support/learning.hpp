/// Whether a model learns, measured on rows that it was not trained on.
#pragma once

#include <functional>
#include <vector>

#include "fjord/flows/distribution.hpp"

namespace fjord::test {

/// Rows of the moons with noise 0.1, every number mapped: [count, 2].
Tensor<double> moons(Index count, std::uint64_t seed, const std::function<double(double)>& map);

/// A mean and its standard error.
struct Score {
  double mean;
  double error;
};

Score score(const std::vector<double>& values);

/// What a trained model must beat by ten standard errors.
enum class Beaten { untrained, untrained_and_normal };

/// Trains the model, and checks, with doctest, that fresh rows [N, 2] then have a higher mean
/// log-density than before, and than under the normal distribution with the moments of `train`.
void check_learns(flows::Distribution<double>& model, const Tensor<double>& train,
                  const Tensor<double>& fresh, Index epochs,
                  Beaten beaten = Beaten::untrained_and_normal);

}  // namespace fjord::test
