/// The interface of optimisers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "fjord/autodiff/parameter.hpp"

namespace fjord::optim {

/// The memory of an optimiser from step to step: all that a checkpoint needs.
template <class T>
struct OptimizerState {
  std::uint64_t steps = 0;
  std::map<std::string, Tensor<T>> tensors;  ///< each of the size of all parameters together
};

/// Changes parameters along the gradient of a loss that is to become small.
template <class T>
class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// Takes one step.
  ///
  /// Shapes:  the gradients of all parameters, one after another, each column-major.
  /// Errors:  std::invalid_argument if the size does not match, or while a tape holds a parameter.
  virtual void step(std::span<const T> gradient) = 0;
  /// A copy of the optimiser's memory, for `restore`.
  virtual OptimizerState<T> state() const = 0;
  /// Goes on from a state of an optimiser of the same kind for parameters of the same sizes.
  ///
  /// Errors:  std::invalid_argument if names or sizes differ.
  virtual void restore(const OptimizerState<T>& state) = 0;
};

}  // namespace fjord::optim
