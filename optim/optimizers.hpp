/// The optimisers of the library, and the choice of one by its name.
#pragma once

#include <memory>

#include "fjord/optim/adagrad.hpp"
#include "fjord/optim/adam.hpp"
#include "fjord/optim/adamw.hpp"
#include "fjord/optim/amsgrad.hpp"
#include "fjord/optim/lion.hpp"
#include "fjord/optim/nadam.hpp"
#include "fjord/optim/radam.hpp"
#include "fjord/optim/rmsprop.hpp"
#include "fjord/optim/sgd.hpp"

namespace fjord::optim {

/// An optimiser that can be chosen by name.
template <class T>
struct NamedOptimizer {
  std::string_view name;
  /// Makes one with this rate, and the defaults for the rest.
  std::unique_ptr<Optimizer<T>> (*make)(const ParameterGroups<T>& parameters, double rate);
};

/// Every optimiser that takes gradients; T is float or double.
///
/// Note:    Lbfgs takes a function instead, and is not among them.
template <class T>
std::span<const NamedOptimizer<T>> optimizers();

/// Makes the optimiser of that name.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none; and as the optimiser's
///          constructor.
template <class T>
std::unique_ptr<Optimizer<T>> optimizer_named(std::string_view name,
                                              const ParameterGroups<T>& parameters, double rate);

}  // namespace fjord::optim
