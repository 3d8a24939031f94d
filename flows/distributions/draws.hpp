/// Draws by rejection, each from a sequence of its own: a draw depends on its key and number only.
#pragma once

#include "fjord/autodiff/random.hpp"

namespace fjord::flows {

/// The logarithm of a draw of the gamma distribution of rate 1, which itself may underflow.
///
/// Source:  Marsaglia & Tsang, A simple method for generating gamma variables, ACM TOMS 26, 2000.
double draw_log_gamma(double concentration, const RandomKey& random, std::uint64_t number);

/// A draw in [-pi, pi] of the von Mises distribution about 0.
///
/// Source:  Best & Fisher, Efficient simulation of the von Mises distribution, Appl. Statist. 28,
///          1979.
double draw_von_mises(double concentration, const RandomKey& random, std::uint64_t number);

}  // namespace fjord::flows
