/// Flow models as model files describe them: from settings, to a state of named tensors, and back.
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

/// How a model computes; not part of the model.
struct SolverSettings {
  ode::SolveOptions solve = {};
  Trace trace = Trace::exact;
};

/// Makes a model with fresh weights.
///
/// Errors:  std::invalid_argument if a setting is out of its range, or base_scale out of that of T.
template <class T>
std::unique_ptr<TransformedDistribution<T>> make_flow(const FlowSettings& settings,
                                                      const SolverSettings& numerics,
                                                      const RandomKey& random);

/// The model as a model file holds it; `state_of` only reads the parameters.
///
/// Errors:  std::invalid_argument if model_of would refuse it: a setting is out of its range, the
///          model does not have the tensors that the settings describe, or one is not finite.
/// Source:  the schema "fjord-flow", version 1: docs/model-file.md.
template <class T>
nn::State state_of(TransformedDistribution<T>& model, const FlowSettings& settings);

/// The settings in a model file's metadata.
///
/// Errors:  std::invalid_argument if it is not a flow of Fjord, of a newer version, or has an
///          unknown, repeated or missing key.
FlowSettings settings_of(const nn::State& state);

/// Makes the model that a state describes, in the precision T whatever that of the state.
///
/// Errors:  std::invalid_argument as settings_of, or if a tensor is missing, unknown, of another
///          shape or precision than the others, or holds a number that is not finite in T.
template <class T>
std::unique_ptr<TransformedDistribution<T>> model_of(const nn::State& state,
                                                     const SolverSettings& numerics);

/// Copies the parameters from a state's tensors.
///
/// Errors:  std::invalid_argument if one is missing, of another shape or not finite, if a tensor
///          belongs to no parameter, or while a tape holds one; none is changed then.
template <class T>
void load_parameters(Distribution<T>& model, const nn::State& state);

}  // namespace fjord::flows
