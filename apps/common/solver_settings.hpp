/// The numerics that options ask for.
#pragma once

#include <set>
#include <string>

#include "fjord/flows/ffjord_chain.hpp"

namespace fjord::apps {

/// The settings of the solves from --rtol, --atol, --trace (exact or hutchinson) and --precision
/// (float or double).
///
/// Errors:  std::invalid_argument if both tolerances are finer than numbers of this precision.
flows::SolverSettings solver_settings(double rtol, double atol, const std::string& trace,
                                      const std::string& precision);

/// The names of the methods that can control their error, for --method.
std::set<std::string> method_names();

/// The names of the gradient modes that give one of a network, for --gradient.
std::set<std::string> gradient_names();

/// Errors:  std::invalid_argument, which lists the methods that do, if a method does not suit the
///          gradient mode.
void check_gradient_suits(const std::string& gradient, const std::string& method);

}  // namespace fjord::apps
