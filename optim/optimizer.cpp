#include "fjord/optim/optimizer.hpp"

#include <algorithm>
#include <cassert>

#include "fjord/autodiff/errors.hpp"
#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {

template <class T>
Optimizer<T>::Optimizer(std::string_view name, const ParameterGroups<T>& groups,
                        const Settings& settings, std::vector<std::string> memory)
    : name_(name),
      parameters_(groups.parameters()),
      memory_names_(std::move(memory)),
      size_(size_of(parameters_, name)) {
  assert(memory_names_.size() <= StepPart<T>::max_memories);
  check_positive(name_, "rate", settings.rate);
  check_not_negative(name_, "weight_decay", settings.weight_decay);
  for (const ParameterGroup<T>& group : groups.groups()) {
    const double decay = group.weight_decay.value_or(settings.weight_decay);
    check_not_negative(name_, "rate_factor of a group", group.rate_factor);
    check_not_negative(name_, "weight_decay of a group", decay);
    for (Parameter<T>* parameter : group.parameters) {
      targets_.push_back({parameter, settings.rate * group.rate_factor, decay});
    }
  }
  memory_.assign(memory_names_.size(), Tensor<T>::zeros({size_}));
}

template <class T>
void Optimizer<T>::step(std::span<const T> gradient, double rate_factor) {
  require(static_cast<Index>(gradient.size()) == size_, name_, [&] {
    return "a gradient of " + std::to_string(size_) + " numbers is needed, got " +
           std::to_string(gradient.size());
  });
  check_not_negative(name_, "rate_factor", rate_factor);
  check_free(parameters_);
  ++steps_;
  std::size_t first = 0;
  for (const Target& target : targets_) {
    StepPart<T> part;
    part.values = target.parameter->mutable_values();
    const std::size_t count = part.values.size();
    part.gradient = gradient.subspan(first, count);
    for (std::size_t k = 0; k < memory_.size(); ++k) {
      part.memory[k] = memory_[k].storage().subspan(first, count);
    }
    part.step = steps_;
    part.rate = target.rate * rate_factor;
    part.weight_decay = target.weight_decay;
    update(part);
    first += count;
  }
}

template <class T>
OptimizerState<T> Optimizer<T>::state() const {
  OptimizerState<T> state{steps_, {}};
  for (std::size_t k = 0; k < memory_.size(); ++k) state.tensors[memory_names_[k]] = memory_[k];
  return state;
}

template <class T>
void Optimizer<T>::restore(const OptimizerState<T>& state) {
  for (const std::string& name : memory_names_) {
    const auto found = state.tensors.find(name);
    require(found != state.tensors.end() && found->second.shape() == Shape{size_}, name_, [&] {
      return "the state needs a tensor " + name + " of shape " + to_string(Shape{size_});
    });
  }
  require(state.tensors.size() == memory_.size(), name_, [&] {
    return "the state must have " + std::to_string(memory_.size()) + " tensors, got " +
           std::to_string(state.tensors.size()) + "; it is that of another optimiser";
  });
  steps_ = state.steps;
  for (std::size_t k = 0; k < memory_.size(); ++k) memory_[k] = state.tensors.at(memory_names_[k]);
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace fjord::optim
