/// Multilayer perceptrons whose outputs see some of the inputs only.
#pragma once

#include <memory>

#include "fjord/autodiff/random.hpp"
#include "fjord/nn/activation.hpp"
#include "fjord/nn/module.hpp"
#include "fjord/nn/part_reader.hpp"

namespace fjord::nn {

/// The affine map x (W * mask)^T + b; a weight that is masked has no effect, and no gradient.
///
/// Shapes:  x [..., in], at least two axes; mask [out, in], of zeros and ones; result [..., out].
/// Note:    Weights start as in Linear, for the inputs that an output sees.
template <class T>
class MaskedLinear final : public Module<T> {
 public:
  MaskedLinear(Tensor<T> mask, const RandomKey& random);

  Var<T> forward(const Var<T>& x) const override;
  /// The activation of the layer's result, as one operation if the activation has one.
  Var<T> forward(const Var<T>& x, const Activation<T>& activation) const;
  Description<T> describe() override;

 private:
  Tensor<T> mask_;
  Parameter<T> weight_;
  Parameter<T> bias_;
};

/// What a masked network sees: every input, hidden unit and output has a degree.
struct MaskedSizes {
  std::vector<Index> inputs;   ///< degrees, each >= 0
  std::vector<Index> hidden;   ///< widths of the hidden layers, each > 0
  std::vector<Index> outputs;  ///< degrees, each > 0
};

/// A network whose outputs depend on the inputs of lower degree only.
///
/// The degrees of hidden units go round through those that a path from an input to an output can
/// have; a unit sees those of its own degree and of lower ones.
/// Source:  Germain et al., MADE: Masked Autoencoder for Distribution Estimation, ICML 2015, sec.
///          4.
/// Note:    It belongs to a part whose settings determine it, and cannot be named in model files.
template <class T>
class MaskedMlp final : public Module<T> {
 public:
  /// Errors:  std::invalid_argument if there is no input or no output, a width is not positive, or
  ///          a degree out of its range.
  MaskedMlp(const MaskedSizes& sizes, const Activation<T>& activation, const RandomKey& random);

  Var<T> forward(const Var<T>& x) const override;
  /// Paths as Mlp's.
  Description<T> describe() override;

 private:
  Activation<T> activation_;
  std::vector<std::unique_ptr<MaskedLinear<T>>> layers_;
};

extern template class MaskedLinear<float>;
extern template class MaskedLinear<double>;
extern template class MaskedMlp<float>;
extern template class MaskedMlp<double>;

}  // namespace fjord::nn
