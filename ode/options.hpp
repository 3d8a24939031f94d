/// How a solve is made.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "fjord/ode/controller.hpp"
#include "fjord/ode/methods.hpp"

namespace fjord::ode {

/// How the errors of all entries become the one number that step control looks at.
enum class ErrorNorm {
  rms,          ///< the root of the mean square over all entries
  largest_row,  ///< the largest of the rows' root mean squares, a row being an index of axis 0: no
                ///< row is less accurate in company than on its own
  maximum,      ///< the largest size of all entries
};

class GradientMode;

/// Through the recorded steps: see Direct.
extern const GradientMode* const default_gradient;

struct SolveOptions {
  double rtol = 1e-6;               ///< error allowed relative to an entry of y, >= 0
  double atol = 1e-6;               ///< error allowed in an entry that is zero, > 0
  ErrorNorm norm = ErrorNorm::rms;  ///< of the error of a step
  /// Length of the first step, > 0; chosen by Hairer's rule if absent.
  std::optional<double> first_step = std::nullopt;
  /// Attempted steps, rejected ones included, > 0; of each row where rows are separate.
  std::size_t max_steps = 10'000;
  const Method* method = &dormand_prince;            ///< never null
  const Controller* controller = &integral_control;  ///< never null
  const GradientMode* gradient = default_gradient;   ///< never null
  /// The steps adapt no shorter or longer than these, > 0; a step that must be shorter ends the
  /// solve with Status::step_too_small.
  std::optional<double> smallest_step = std::nullopt;
  std::optional<double> largest_step = std::nullopt;
  /// Steps of this length, > 0, the last one shortened to end at t1, without regard to errors; what
  /// methods without an error estimate need, unless there is a grid. Times to step on are further
  /// ends of steps.
  std::optional<double> fixed_step = std::nullopt;
  /// Steps end at these times and at t1, without regard to errors: in the order of the solve,
  /// within the span.
  std::vector<double> grid = {};
  /// Some step ends at each of these times; in the order of the solve, within the span.
  std::vector<double> step_on = {};
  /// As step_on; at these times the field jumps, and is asked on the side of the step that is made.
  /// They are constants to derivatives.
  std::vector<double> jumps = {};
  /// Whether each row of the state, an index of axis 0, has its own steps, so that a row that needs
  /// short ones changes neither the results nor the cost of others. The field then gets a column of
  /// times, [rows, 1, ...], and states of the rows that are not at the end yet: it must compute
  /// each row from that row and its time only, for any number of rows. Steps end at the times of
  /// save_at.
  ///
  /// A row that fails ends alone: its states at later times and at the end are NaN, and so are
  /// losses over them and the gradients of these. The others have the values and gradients that
  /// they have without that row. The solution has a report of each row; its own has the sums of the
  /// rows' steps, and the status and time of the first row without success.
  ///
  /// With gradient modes direct and values_only only; without events, jumps, steps that are given,
  /// numbers for entries, and derivatives in the times.
  bool separate_rows = false;
  /// Times whose states the solution holds; in the order of the solve, within the span.
  std::vector<double> save_at = {};
  bool save_steps = false;  ///< whether it holds the states after all steps, and the first one
  /// In place of rtol and atol, one for each entry of the state, in column-major order.
  std::vector<double> rtol_of_entries = {};
  std::vector<double> atol_of_entries = {};
  /// In place of `norm`: takes the entries' errors, each in units of its tolerance.
  std::function<double(std::span<const double> ratios)> custom_norm = {};
};

}  // namespace fjord::ode
