/// Roots for step control.
#pragma once

namespace fjord::ode {

/// x^(-1/n), correct to a few roundings: what std::pow gives, in half the time for x > 0 of common
/// size and even n up to 20, which the length of every step waits for.
double inverse_root(double x, int n);

}  // namespace fjord::ode
