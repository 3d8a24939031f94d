/// Inverses of increasing maps that have none in closed form.
#pragma once

#include <functional>

#include "fjord/flows/transformer.hpp"

namespace fjord::flows {

/// An increasing map of every entry, with its slope.
template <class T>
using IncreasingMap = std::function<WithLogSlope<T>(const Var<T>&)>;

/// The x with map(x) = y, entry by entry, by Newton's method between bounds; NaN where y or the map
/// is not finite, or no root is found.
///
/// Its derivatives, in y and in all that the map depends on, are right up to the third order.
/// Shapes:  y [B, D]; result as y.
/// Note:    `least_slope` > 0 is a lower bound of the slope of the map everywhere.
template <class T>
Var<T> increasing_root(const IncreasingMap<T>& map, const Var<T>& y, double least_slope);

}  // namespace fjord::flows
