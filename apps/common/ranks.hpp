/// What rank 0 does for all: it reads, writes and prints.
#pragma once

#include <functional>

#include "fjord/autodiff/communicator.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps {

/// Runs an action on rank 0, and gives every rank the number that it returns.
///
/// Errors:  as agree().
int lead(const Communicator& ranks, const std::function<int()>& action);

/// As lead(), for tensors and texts.
nn::State state_of_first_rank(const Communicator& ranks, const std::function<nn::State()>& read);

}  // namespace fjord::apps
