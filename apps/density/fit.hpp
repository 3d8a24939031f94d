/// The command fit: a density of a table's rows.
#pragma once

#include <chrono>

#include "fjord/apps/density/large_table.hpp"
#include "fjord/apps/density/options.hpp"
#include "fjord/autodiff/communicator.hpp"

namespace fjord::apps::density {

/// What a run keeps to, and a test may change.
struct RunLimits {
  MemoryLimits memory;
  std::chrono::nanoseconds between_checkpoints = std::chrono::minutes(10);  ///< at most
};

/// Fits the simple densities and a flow, prints what each reaches on the test rows, and leaves
/// model, checkpoint, config, metrics, split, comparison and report in options.out. All ranks read
/// the table and train the flow; rank 0 does the rest.
///
/// Returns the program's exit status: 0, or 128 plus the signal that ended the run after a step;
/// the model is then the best so far.
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure,
///          std::range_error and std::system_error otherwise.
int fit(const FitOptions& options, const Communicator& ranks, const RunLimits& limits = {});

}  // namespace fjord::apps::density
