/// What every network is: named parameters, and a forward function on the tape.
#pragma once

#include <string>
#include <vector>

#include "fjord/autodiff/parameter.hpp"
#include "fjord/autodiff/var.hpp"

namespace fjord::nn {

/// A parameter and its name, the path to it in the module: "layers.0.weight".
template <class T>
struct NamedParameter {
  std::string name;
  Parameter<T>* parameter;
};

template <class T>
using NamedParameters = std::vector<NamedParameter<T>>;

/// A function with parameters.
template <class T>
class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  /// Applies the module to every row of x; binds the parameters to the tape of x.
  ///
  /// Shapes:  x [..., in]; result [..., out].
  /// Errors:  std::invalid_argument if the shapes do not match.
  virtual Var<T> forward(const Var<T>& x) const = 0;
  /// Appends the parameters, always in the same order, their names behind `prefix`.
  virtual void add_parameters(const std::string& prefix, NamedParameters<T>& list) = 0;
};

/// The parameters of a list without their names, as optimisers take them.
template <class T>
std::vector<Parameter<T>*> parameter_pointers(const NamedParameters<T>& list) {
  std::vector<Parameter<T>*> pointers;
  for (const NamedParameter<T>& named : list) pointers.push_back(named.parameter);
  return pointers;
}

/// All parameters of anything that has `add_parameters`.
template <class T, class M>
NamedParameters<T> parameters_of(M& module) {
  NamedParameters<T> list;
  module.add_parameters("", list);
  return list;
}

}  // namespace fjord::nn
