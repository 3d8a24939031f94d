/// Maps that make normal distributions.
#pragma once

#include <memory>
#include <vector>

#include "fjord/apps/density/gaussian.hpp"
#include "fjord/flows/bijector.hpp"

namespace fjord::apps::density {

/// The maps, the first next to the base, that make of N(0, I) this distribution of the numbers
/// after the first `given`, given these: a triangular one and, if numbers are given, a shift that
/// is linear in them.
template <class T>
std::vector<std::unique_ptr<flows::Bijector<T>>> normal_maps(const Gaussian& normal, Index given);

}  // namespace fjord::apps::density
