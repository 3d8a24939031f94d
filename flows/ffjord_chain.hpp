/// Chains of FFJORD blocks over multilayer perceptrons: from settings, and in the files of version
/// 1, which describe nothing else.
#pragma once

#include "fjord/flows/distribution.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/nn/safetensors.hpp"
#include "fjord/nn/time_input.hpp"

namespace fjord::flows {

/// The architecture of a chain of FFJORD blocks over multilayer perceptrons.
struct FlowSettings {
  Index dim = 2;                       ///< D, width of a row, > 0
  Index blocks = 4;                    ///< > 0
  std::vector<Index> hidden = {8, 8};  ///< widths of the hidden layers, each > 0
  std::string activation = "tanh";     ///< a name of nn::all_activations
  nn::TimeInput time_input = nn::TimeInput::repeat;
  double t0 = 0;            ///< time of the base
  double t1 = 1;            ///< time of the data
  double base_scale = 0.8;  ///< deviation of the base N(0, base_scale^2 I), > 0
};

/// Makes a model with fresh weights.
///
/// Errors:  std::invalid_argument if a setting is out of its range, or base_scale out of that of T.
template <class T>
std::unique_ptr<TransformedDistribution<T>> make_flow(const FlowSettings& settings,
                                                      const SolverSettings& solver,
                                                      const RandomKey& random);

/// The model as a file of version 1 holds it.
///
/// Errors:  std::invalid_argument if model_of would refuse it: a setting is out of its range, the
///          model does not have the tensors that the settings describe, or one is not finite.
/// Source:  the schema "fjord-flow", version 1: docs/model-file.md.
template <class T>
nn::State version_1_state(Distribution<T>& model, const FlowSettings& settings);

/// The settings in a file of version 1.
///
/// Errors:  std::invalid_argument if it has an unknown, repeated or missing key, or a value out of
///          its range.
FlowSettings version_1_settings(const nn::State& state);

/// The model of a file of version 1, in the precision T whatever that of the file.
///
/// Errors:  std::invalid_argument as version_1_settings, or if a tensor is missing, unknown, of
///          another shape or precision than the others, or not finite in T.
template <class T>
std::unique_ptr<TransformedDistribution<T>> version_1_model(const nn::State& state,
                                                            const SolverSettings& solver);

}  // namespace fjord::flows
