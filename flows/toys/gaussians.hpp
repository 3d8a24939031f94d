/// Mixtures of Gaussians.
#pragma once

#include "fjord/flows/toy_set.hpp"

namespace fjord::flows {

/// Eight Gaussians, their means on a circle: radius 4 / 1.414, standard deviations 0.5 / 1.414.
///
/// Source:  rtqichen/ffjord, lib/toy_data.py.
const ToySet& eight_gaussians();

}  // namespace fjord::flows
