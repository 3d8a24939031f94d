/// The length of the next step.
#pragma once

#include <cmath>
#include <optional>

#include "fjord/ode/options.hpp"
#include "fjord/ode/stops.hpp"

namespace fjord::ode {

/// Of one solve: the length of the step to try next, as the controller says.
class StepLength final {
 public:
  /// Note:    The options must outlive the object.
  StepLength(const SolveOptions& options, int error_order)
      : options_(options), error_order_(error_order) {}

  /// Negative where the solve goes backwards in time.
  double h() const { return h_; }

  /// Without a sign, and within the limits of the options; absent if there is none.
  std::optional<double> next() const;

  /// That of the first step.
  void begin(double h) { h_ = h; }

  /// Where the next step from t ends. Its length follows from that, so that time and state stay
  /// together. Steps that would leave a sliver before the next stop are shortened to half the way,
  /// so that two equal ones are left.
  double aim(const Stops& stops, double t);

  /// After a step was accepted, or rejected, of which this is the square of its error.
  void accept(double squared_error);
  void reject(double squared_error);

  /// Whether the last step was rejected, and the next one would be too short.
  bool has_vanished(double t) const { return was_rejected_ && std::abs(h_) < shortest(t); }

 private:
  double shortest(double t) const;
  double factor(double squared_error) const;

  const SolveOptions& options_;
  int error_order_;
  double h_ = 0;
  double last_accepted_ = 1;  // errors
  double second_last_accepted_ = 1;
  bool was_rejected_ = false;
};

}  // namespace fjord::ode
