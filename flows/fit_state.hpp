/// What a training run needs to go on to the same bits, as named tensors.
#pragma once

#include "fjord/flows/fit_report.hpp"
#include "fjord/nn/safetensors.hpp"
#include "fjord/optim/average.hpp"
#include "fjord/optim/optimizer.hpp"

namespace fjord::flows {

/// The numbers that training changes.
template <class T>
struct FitSnapshot {
  std::vector<T> values;  ///< of all parameters and buffers, one after another
  optim::OptimizerState<T> optimizer;
  optim::AverageState average;
};

/// The state of a run.
template <class T>
struct FitContents {
  FitSnapshot<T> now;
  FitSnapshot<T> epoch_start;
  std::vector<T> best;  ///< as FitSnapshot::values; empty for none
  FitPosition position;
  FitPosition epoch_position;
  FitReport report;
};

/// The contents as tensors and text.
template <class T>
nn::State state_of(const FitContents<T>& contents);

/// The contents in a state of a run that has such numbers as `like`.
///
/// Errors:  std::invalid_argument if something is missing, damaged or of another size.
template <class T>
FitContents<T> fit_contents_of(const nn::State& state, const FitSnapshot<T>& like);

}  // namespace fjord::flows
