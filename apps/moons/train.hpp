/// The demo: a flow trained on the two moons.
#pragma once

#include <chrono>

#include "fjord/apps/moons/options.hpp"
#include "fjord/autodiff/communicator.hpp"

namespace fjord::apps {

/// Trains and leaves model, checkpoint, config, metrics and picture in options.out; prints one line
/// at the end. Of several ranks, rank 0 does the latter. Checkpoints are written at the end of an
/// epoch, and within one if the last is older than `between_checkpoints`, which a test may change.
///
/// Returns the program's exit status: 0, or 128 plus the signal that ended the run after a step.
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure,
///          std::range_error and std::system_error otherwise.
int train(const TrainOptions& options, const Communicator& ranks,
          std::chrono::nanoseconds between_checkpoints = std::chrono::minutes(10));

}  // namespace fjord::apps
