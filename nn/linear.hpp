/// The affine layer.
#pragma once

#include <array>

#include "fjord/autodiff/random.hpp"
#include "fjord/nn/activation.hpp"
#include "fjord/nn/module.hpp"
#include "fjord/nn/part_reader.hpp"

namespace fjord::nn {

/// x W^T + b.
///
/// Shapes:  x [..., in], at least two axes; weight [out, in]; bias [out]; result [..., out].
/// Note:    Weights start as draws from N(0, 1 / in), truncated at two standard deviations; biases
///          as 0.
/// Source:  Sonnet's snt.Linear, whose defaults these are.
template <class T>
class Linear final : public Module<T> {
 public:
  /// Errors:  std::invalid_argument if a size is not positive.
  Linear(Index in, Index out, const RandomKey& random);
  explicit Linear(PartReader<T>& reader);

  Index in() const { return weight_.value().shape()[1]; }

  Index out() const { return weight_.value().shape()[0]; }

  Var<T> forward(const Var<T>& x) const override;
  /// The activation of the layer's result, as one operation if the activation has one.
  ///
  /// Shapes:  as without an activation.
  Var<T> forward(const Var<T>& x, const Activation<T>& activation) const;
  /// Weight and bias as leaves of a tape.
  std::array<Var<T>, 2> bind(Tape<T>& tape) const;
  Description<T> describe() override;

 private:
  Parameter<T> weight_;
  Parameter<T> bias_;
};

extern template class Linear<float>;
extern template class Linear<double>;

}  // namespace fjord::nn
