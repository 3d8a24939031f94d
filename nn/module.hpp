/// What every network is: a part with a forward function on the tape.
#pragma once

#include "fjord/autodiff/var.hpp"
#include "fjord/nn/part.hpp"

namespace fjord::nn {

/// A function with parameters.
template <class T>
class Module : public Part<T> {
 public:
  static constexpr const char* kind = "network";

  /// Applies the module to every row of x; binds the parameters to the tape of x.
  ///
  /// Shapes:  x [..., in]; result [..., out].
  /// Errors:  std::invalid_argument if the shapes do not match.
  virtual Var<T> forward(const Var<T>& x) const = 0;
};

}  // namespace fjord::nn
