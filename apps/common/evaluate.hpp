/// Trained models applied to points.
#pragma once

#include "fjord/apps/common/evaluate_options.hpp"

namespace fjord::apps {

/// Writes the log-density of every row and prints one line, to standard error if the log-densities
/// go to standard output.
///
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure and
///          std::system_error otherwise.
void score(const ScoreOptions& options);

/// Writes samples; errors as score.
void sample(const SampleOptions& options);

}  // namespace fjord::apps
