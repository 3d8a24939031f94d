/// The toy sets of the library, and the choice of one by its name.
#pragma once

#include "fjord/flows/toys/curve_sets.hpp"
#include "fjord/flows/toys/gaussians.hpp"
#include "fjord/flows/toys/moons.hpp"
#include "fjord/flows/toys/picture.hpp"
#include "fjord/flows/toys/shapes.hpp"

namespace fjord::flows {

/// Every toy set that needs no picture, the moons with noise 0.06.
std::span<const ToySet* const> toy_sets();

/// The toy set of that name.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none.
const ToySet& toy_set_named(std::string_view name);

}  // namespace fjord::flows
