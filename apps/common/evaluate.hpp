/// Trained models applied to points.
#pragma once

#include "fjord/apps/common/evaluate_options.hpp"
#include "fjord/autodiff/communicator.hpp"

namespace fjord::apps {

/// Writes the log-density of every row and prints one line, to standard error if the log-densities
/// go to standard output. Of several ranks, rank 0 reads, writes and prints.
///
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure and
///          std::system_error otherwise.
void score(const ScoreOptions& options, const Communicator& ranks);

/// Writes samples; errors as score.
void sample(const SampleOptions& options, const Communicator& ranks);

}  // namespace fjord::apps
