/// The log-densities of rows, written as they are computed.
#pragma once

#include "fjord/apps/common/evaluate_options.hpp"
#include "fjord/autodiff/communicator.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps {

/// As score(), in the precision T, with the contents of the model file.
template <class T>
int score_as(const char* program, const nn::State& state, const ScoreOptions& options,
             const Communicator& ranks);

extern template int score_as<float>(const char*, const nn::State&, const ScoreOptions&,
                                    const Communicator&);
extern template int score_as<double>(const char*, const nn::State&, const ScoreOptions&,
                                     const Communicator&);

}  // namespace fjord::apps
