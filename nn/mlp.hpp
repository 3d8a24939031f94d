/// Multilayer perceptrons.
#pragma once

#include <memory>

#include "fjord/nn/activation.hpp"
#include "fjord/nn/linear.hpp"

namespace fjord::nn {

/// Affine layers with an activation after every one but the last.
///
/// Shapes:  x [..., sizes.front()], at least two axes; result [..., sizes.back()].
template <class T>
class Mlp final : public Module<T> {
 public:
  /// Errors:  std::invalid_argument if there are fewer than two sizes, one is not positive, or the
  ///          activation has no function.
  Mlp(std::span<const Index> sizes, const Activation<T>& activation, const RandomKey& random);

  explicit Mlp(PartReader<T>& reader);

  Var<T> forward(const Var<T>& x) const override;

  Index in() const { return sizes_.front(); }

  Index out() const { return sizes_.back(); }

  /// Whether the next two functions are there: for narrow networks of some activations.
  bool is_fusible() const;
  /// The network of a time and a state as one operation, much faster than layer by layer: what the
  /// first layer takes beyond the columns of x gets t, before x.
  ///
  /// Shapes:  t a scalar; x [B, D]; result [B, sizes.back()].
  /// Errors:  std::invalid_argument if the network is not fusible.
  /// Note:    A sweep of tangents through it computes it layer by layer once more.
  Var<T> fused(const Var<T>& t, const Var<T>& x) const;
  /// The same with its divergence, the sum of the d f_i / d x_i, as one column more: [B, D + 1].
  ///
  /// Errors:  as fused, or if the network gives not D columns.
  Var<T> fused_with_divergence(const Var<T>& t, const Var<T>& x) const;
  Description<T> describe() override;

 private:
  // Weight, bias, weight, bias, ... in the memory of the tape.
  std::span<const Var<T>> bind(Tape<T>& tape) const;

  Activation<T> activation_;
  std::vector<Index> sizes_;
  std::vector<std::unique_ptr<Linear<T>>> layers_;
};

extern template class Mlp<float>;
extern template class Mlp<double>;

}  // namespace fjord::nn
