/// A model with each part, and rows that it can learn.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "fjord/tests/support/learning.hpp"

namespace fjord::test {

struct PartModel {
  std::function<std::unique_ptr<flows::Distribution<double>>()> make;
  std::function<Tensor<double>(Index count, std::uint64_t seed)> rows;
  Beaten beaten = Beaten::untrained_and_normal;
  Index epochs = 40;  ///< that it takes to learn them
};

/// By the name of the type of parts.
using PartModels = std::map<std::string, PartModel>;

/// Each bijector, some next to splines where they cannot bend the moons; no conditional_affine,
/// which does nothing without what is given.
PartModels models_of_bijectors();
/// The continuous flow of each field.
PartModels models_of_fields();
/// Couplings of each transformer.
PartModels models_of_transformers();
/// Each distribution as the base of splines, or, where no part leads there, in a mixture.
PartModels models_of_distributions();

}  // namespace fjord::test
