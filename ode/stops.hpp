/// The times at which steps must end.
#pragma once

#include <algorithm>
#include <cmath>

#include "fjord/ode/field.hpp"
#include "fjord/ode/options.hpp"

namespace fjord::ode {

/// The options for a part of a solve, in either direction: times outside of it are left out, and
/// the others put into its order.
SolveOptions within(const SolveOptions& options, TimeSpan span);

/// Of one solve: its end, the times to step on, the jumps of the field, and all steps where they
/// are given.
class Stops final {
 public:
  /// Note:    The options must outlive the object.
  Stops(TimeSpan span, const SolveOptions& options);

  /// Whether the steps are given, so that errors do not matter.
  bool are_fixed() const { return options_.fixed_step.has_value() || !options_.grid.empty(); }

  /// The first stop after t.
  double next(double t) const { return is_end_only_ ? span_.t1 : next_of_several(t); }

  bool is_jump(double t) const {
    return !is_end_only_ && std::ranges::find(options_.jumps, t) != options_.jumps.end();
  }

  /// At which time the field is asked for its value at the beginning of a step from t, or at the
  /// end of one to t: where it jumps at t, next to it.
  template <class T>
  double field_time_after(double t) const {
    return is_jump(t) ? next_to<T>(t, span_.t1) : t;
  }

  template <class T>
  double field_time_before(double t) const {
    return is_jump(t) ? next_to<T>(t, span_.t0) : t;
  }

 private:
  template <class T>
  static double next_to(double t, double towards) {
    return static_cast<double>(std::nextafter(static_cast<T>(t), static_cast<T>(towards)));
  }

  double next_of_several(double t) const;

  TimeSpan span_;
  const SolveOptions& options_;
  bool is_end_only_;
  double fixed_steps_ = 0;
  double slack_ = 0;  // stops of fixed steps that are nearer to others are none
};

}  // namespace fjord::ode
