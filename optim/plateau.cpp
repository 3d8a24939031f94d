#include "fjord/optim/plateau.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {

PlateauSchedule::PlateauSchedule(const PlateauScheduleOptions& options) : options_(options) {
  require(options.drop > 0 && options.drop < 1, "plateau_schedule",
          [&] { return "drop must be in (0, 1), got " + std::to_string(options.drop); });
  check_not_negative("plateau_schedule", "min_decrease", options.min_decrease);
  check_decay("plateau_schedule", "end", options.end);
}

void PlateauSchedule::observe(double loss) {
  if (loss < state_.best - options_.min_decrease) {
    state_.best = loss;
    state_.without_improvement = 0;
    return;
  }
  if (++state_.without_improvement <= options_.patience) return;
  state_.factor = std::max(options_.end, state_.factor * options_.drop);
  state_.without_improvement = 0;
}

}  // namespace fjord::optim
