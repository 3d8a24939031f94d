/// The nonstiff DETEST problems of classes A to E on plain memory, t = 0 to 20.
#pragma once

#include <string>
#include <vector>

#include "fjord/ode/plain_field.hpp"

namespace fjord::test {

struct DetestProblem {
  std::string name;  ///< A1 to E5
  ode::PlainField f;
  std::vector<double> y0;
  std::vector<double> end;  ///< the state at t = 20
};

/// All 25, in order.
///
/// Source:  Hull, Enright, Fellen & Sedgwick, Comparing numerical methods for ordinary differential
///          equations, SIAM J. Numer. Anal. 9 (1972); as Enright & Pryce, Two Fortran packages for
///          assessing initial value methods, ACM Trans. Math. Softw. 13 (1987), have them.
/// Note:    The ends are closed forms by mpmath at 40 digits for A1 to A4, B2, C1 to C4, D1 to D5,
///          E1 and E5 (matrix exponentials and Kepler's equation among them). The others are by
///          extrapolation of Gragg's midpoint rule of order 24 in numpy's long double, 80 and 120
///          steps at least, which agree to 2e-14 (relative to 1 plus the size), as they do with the
///          closed forms to 9e-14.
std::vector<DetestProblem> detest_problems();

}  // namespace fjord::test
