/// Times of a solve as nodes.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord::ode {

/// The number `value` as a function of t0 and t1, with the slopes given: computed from the two by
/// sums and products it would be rounded, and could lie outside of them.
///
/// Shapes:  t0, t1 and the result scalars.
template <class T>
Var<T> moving_time(const Var<T>& t0, const Var<T>& t1, double value, double slope_t0,
                   double slope_t1);

}  // namespace fjord::ode
