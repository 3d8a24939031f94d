/// A search along a line for a step that lowers a function enough.
#pragma once

#include <functional>

namespace fjord::optim {

/// A function along a line, at a step from its start.
struct LinePoint {
  double step = 0;
  double value = 0;
  double slope = 0;  ///< derivative by the step
};

struct LineSearchOptions {
  double decrease = 1e-4;    ///< part of the decrease that the first slope promises, in (0, 1)
  double curvature = 0.9;    ///< part of the first slope that may remain, in (decrease, 1)
  int max_evaluations = 25;  ///< > 0
};

/// Checks the ranges.
///
/// Errors:  std::invalid_argument, which names `op` and the field, if one is out of its range.
void check_line_search(const char* op, const LineSearchOptions& options);

/// Finds a step > 0 with the strong Wolfe conditions,
/// value <= start.value + decrease step start.slope and |slope| <= curvature |start.slope|.
///
/// Returns the last point that met the first condition if the evaluations are used up or the
/// interval has become too short, and `start` if there was none.
///
/// Shapes:  start.step is 0, start.slope < 0, first_step > 0.
/// Source:  Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 3.5 and 3.6, with the
///          cubic of equation 3.59.
/// Note:    A value or slope that is not finite counts as a step that is too long.
LinePoint strong_wolfe(const std::function<LinePoint(double)>& evaluate, const LinePoint& start,
                       double first_step, const LineSearchOptions& options);

}  // namespace fjord::optim
