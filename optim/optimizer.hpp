/// The interface of optimisers.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/optim/parameter_groups.hpp"

namespace fjord::optim {

/// The memory of an optimiser from step to step: all that a checkpoint needs.
template <class T>
struct OptimizerState {
  std::uint64_t steps = 0;
  std::map<std::string, Tensor<T>> tensors;  ///< each of the size of all parameters together
};

/// What the step of one parameter needs.
template <class T>
struct StepPart {
  static constexpr std::size_t max_memories = 3;

  std::span<T> values;                              ///< the parameter's numbers, to be changed
  std::span<const T> gradient;                      ///< of the same size
  std::array<std::span<T>, max_memories> memory{};  ///< what the optimiser keeps of it
  std::uint64_t step = 1;                           ///< the number of this step, from 1
  double rate = 0;                                  ///< with the factors of group and step
  double weight_decay = 0;                          ///< the group's

  /// Entry i of the gradient of loss + weight_decay / 2 |values|^2.
  double decayed_gradient(std::size_t i) const {
    const auto g = static_cast<double>(gradient[i]);
    return weight_decay == 0 ? g : g + weight_decay * static_cast<double>(values[i]);
  }
};

/// Changes parameters along the gradient of a loss that is to become small.
template <class T>
class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  std::string_view name() const { return name_; }

  /// The number of steps so far, of which a schedule gives the next rate factor.
  std::uint64_t steps() const { return steps_; }

  /// Takes one step with the optimiser's rate times `rate_factor`, which a schedule gives.
  ///
  /// Shapes:  the gradients of all parameters, one after another, each column-major.
  /// Errors:  std::invalid_argument, and no change, if the size does not match, if the factor is
  ///          negative or not finite, or while a tape holds a parameter.
  void step(std::span<const T> gradient, double rate_factor = 1);
  /// A copy of the optimiser's memory, for `restore`.
  OptimizerState<T> state() const;
  /// Goes on from a state of an optimiser of the same kind for parameters of the same sizes, with
  /// the bits that the other would give.
  ///
  /// Errors:  std::invalid_argument, and no change, if names or sizes differ.
  void restore(const OptimizerState<T>& state);

 protected:
  struct Settings {
    double rate;
    double weight_decay;
  };

  /// For optimisers that keep one number for each entry under each name in `memory`.
  ///
  /// Errors:  std::invalid_argument, which names the optimiser, if a parameter is null or given
  ///          twice, or a number of the settings or of a group is out of its range.
  Optimizer(std::string_view name, const ParameterGroups<T>& groups, const Settings& settings,
            std::vector<std::string> memory);

 private:
  struct Target {
    Parameter<T>* parameter;
    double rate;
    double weight_decay;
  };

  /// Takes the step of one parameter.
  virtual void update(const StepPart<T>& part) const = 0;

  std::string name_;
  std::vector<Parameter<T>*> parameters_;
  std::vector<Target> targets_;
  std::vector<std::string> memory_names_;
  std::vector<Tensor<T>> memory_;
  Index size_ = 0;
  std::uint64_t steps_ = 0;
};

extern template class Optimizer<float>;
extern template class Optimizer<double>;

}  // namespace fjord::optim
