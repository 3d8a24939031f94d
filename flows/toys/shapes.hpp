/// Sets that are formulas of their random numbers.
#pragma once

#include "fjord/flows/toy_set.hpp"

namespace fjord::flows {

/// Five blades of Gaussians that a rotation by 0.25 exp(radius) bends; without a known density.
///
/// Source:  rtqichen/ffjord, lib/toy_data.py, with independent blades.
const ToySet& pinwheel();

/// Two spirals of one and a half turns, with uniform and normal noise; without a known density.
///
/// Source:  rtqichen/ffjord, lib/toy_data.py, with independent spirals.
const ToySet& two_spirals();

/// Eight squares of side 2, as the dark fields of a board from -4 to 4.
///
/// Source:  rtqichen/residual-flows, lib/toy_data.py.
const ToySet& checkerboard();

/// The points (x, x), x uniform in [-2.5, 2.5]; they have no density in the plane.
///
/// Source:  rtqichen/ffjord, lib/toy_data.py.
const ToySet& line();

/// The points (x, 2.5 sin x), x uniform in [-2.5, 2.5]; they have no density in the plane.
///
/// Source:  rtqichen/ffjord, lib/toy_data.py, which calls it cos.
const ToySet& cosine();

}  // namespace fjord::flows
