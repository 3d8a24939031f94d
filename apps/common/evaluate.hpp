/// Trained models applied to points.
#pragma once

#include "fjord/apps/common/evaluate_options.hpp"
#include "fjord/autodiff/communicator.hpp"

namespace fjord::apps {

/// Writes the log-density of every row and prints one line, to standard error if the log-densities
/// go to standard output. Of several ranks, rank 0 prints; TableWriter says who writes. Returns the
/// exit status: 0, or after a signal, which leaves nothing behind, 128 more than its number.
///
/// `program` is the name in front of notes, as one on rows outside of the support of the model.
/// Any number of rows takes the same memory: they are read, computed and written in blocks.
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure and
///          std::system_error otherwise.
int score(const char* program, const ScoreOptions& options, const Communicator& ranks);

/// Writes samples. Any number of them takes the same memory, besides what is given, which is read
/// as a whole. Returns the exit status, as score().
///
/// Errors:  as score().
int sample(const SampleOptions& options, const Communicator& ranks);

}  // namespace fjord::apps
