/// A schedule that lowers the rate when the loss does not fall any more.
#pragma once

#include <limits>

#include "fjord/optim/schedule.hpp"

namespace fjord::optim {

struct PlateauScheduleOptions {
  double drop = 0.1;            ///< what each drop multiplies with, in (0, 1)
  std::uint64_t patience = 10;  ///< losses without an improvement that are borne before a drop
  double min_decrease = 1e-4;   ///< by which a loss must be below the best one to improve, >= 0
  double end = 0;               ///< the factor does not fall below this, in [0, 1)
};

/// What a schedule on plateaus knows of the losses so far: all that a checkpoint needs.
struct PlateauState {
  double factor = 1;
  double best = std::numeric_limits<double>::infinity();  ///< the smallest loss so far
  std::uint64_t without_improvement = 0;                  ///< losses since then, or since a drop

  bool operator==(const PlateauState&) const = default;
};

/// A factor that drops when more than `patience` losses in a row were no improvement.
///
/// Note:    The decrease is absolute, not relative, so that losses may be negative. A loss that is
///          NaN is not an improvement.
class PlateauSchedule final : public Schedule {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  explicit PlateauSchedule(const PlateauScheduleOptions& options = {});

  /// Takes the next loss, as a rule that of an epoch's validation.
  void observe(double loss);

  /// The factor now, whatever the step.
  double factor(std::uint64_t /*step*/) const override { return state_.factor; }

  const PlateauState& state() const { return state_; }

  void restore(const PlateauState& state) { state_ = state; }

 private:
  PlateauScheduleOptions options_;
  PlateauState state_;
};

}  // namespace fjord::optim
