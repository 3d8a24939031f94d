/// What is known of a training run: its figures, its position and its end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord::flows {

/// Why training ended.
enum class FitEnd {
  running,   ///< it did not
  epochs,    ///< all epochs are done
  patience,  ///< the loss of the held-out rows did not fall any more
  callback,  ///< the caller stopped it
  failure,   ///< too many steps failed
  converged  ///< no step lowers the loss any more: fit_lbfgs
};

/// One sentence on an end.
std::string_view text_of(FitEnd end);

/// The figures of an epoch.
struct FitEpoch {
  Index epoch = 0;                            ///< from 1
  Index steps = 0;                            ///< since the beginning
  double loss = 0;                            ///< mean over the epoch's rows
  std::optional<double> held_out = {};        ///< mean loss of the held-out rows
  std::optional<double> standard_error = {};  ///< of `held_out`
  double evaluations = 0;                     ///< calls of fields, mean over the steps
  double rate_factor = 1;                     ///< of the last step
  std::vector<double> penalties = {};         ///< of the loss's regularisers, mean over the steps

  bool operator==(const FitEpoch&) const = default;
};

struct FitReport {
  std::vector<FitEpoch> curve;
  Index best_epoch = 0;  ///< the one with the best loss of the held-out rows; 0 for none
  Index failures = 0;    ///< steps that failed
  std::string failure;   ///< what was wrong at the last one
  FitEnd end = FitEnd::running;
};

/// The position inside an epoch.
struct FitPosition {
  Index epoch = 0;                        ///< epochs that are complete
  Index batch = 0;                        ///< batches of the next epoch that are done
  Index steps = 0;                        ///< steps in all
  double loss_sum = 0;                    ///< over the rows of the epoch so far
  double weight = 0;                      ///< of these rows
  double evaluation_sum = 0;              ///< over the steps of the epoch so far
  double rate_factor = 1;                 ///< of the last step
  double retry_rate = 1;                  ///< factor of the rate after failures
  std::vector<double> penalty_sums = {};  ///< of the regularisers, over the steps of the epoch
};

}  // namespace fjord::flows
