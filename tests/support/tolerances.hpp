/// Options of a solve in one line.
#pragma once

#include "fjord/ode/solve.hpp"

namespace fjord::test {

inline ode::SolveOptions tolerances(double rtol, double atol) {
  ode::SolveOptions options;
  options.rtol = rtol;
  options.atol = atol;
  return options;
}

}  // namespace fjord::test
