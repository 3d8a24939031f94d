/// Multilayer perceptrons.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "fjord/nn/activation.hpp"
#include "fjord/nn/linear.hpp"

namespace fjord::nn {

/// Affine layers with an activation after every one but the last.
///
/// With a Lipschitz bound, no two results are farther apart than that times the distance of their
/// inputs: all layers apply their weights scaled down, by with_spectral_bound, to an equal share of
/// what the activations leave of it.
/// Shapes:  x [..., sizes.front()], at least two axes; result [..., sizes.back()].
/// Note:    The weights are scaled in every call: `bind` once where there are many.
template <class T>
class Mlp final : public Module<T> {
 public:
  /// Errors:  std::invalid_argument if there are fewer than two sizes, one is not positive, the
  ///          activation has no function, or the bound is not positive and finite.
  Mlp(std::span<const Index> sizes, const Activation<T>& activation, const RandomKey& random,
      std::optional<double> lipschitz = std::nullopt);

  explicit Mlp(PartReader<T>& reader);

  Var<T> forward(const Var<T>& x) const override;
  /// The same with the layers that `bind` gave.
  Var<T> forward(const Var<T>& x, std::span<const Var<T>> layers) const;
  /// Weight, bias, weight, bias, ... as the layers apply them, in the memory of the tape.
  std::span<const Var<T>> bind(Tape<T>& tape) const;

  Index in() const { return sizes_.front(); }

  Index out() const { return sizes_.back(); }

  /// The width of the narrowest hidden layer; 0 if there is no hidden layer.
  Index bottleneck() const;
  /// What the narrowest hidden layer gives, the first one of several, and the result.
  ///
  /// Errors:  std::invalid_argument if there is no hidden layer.
  std::pair<Var<T>, Var<T>> forward_by_bottleneck(const Var<T>& x) const;

  /// Whether the next two functions are there: for narrow networks of some activations.
  bool is_fusible() const { return is_fusible_; }

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
  // Layers with the activation after each of them.
  Var<T> activated(const Var<T>& x, std::span<const Var<T>> layers) const;

  Activation<T> activation_;
  std::vector<Index> sizes_;
  std::vector<std::unique_ptr<Linear<T>>> layers_;
  bool is_fusible_ = false;
  std::optional<double> lipschitz_;
  double spectral_bound_ = 0;  // of each layer, if there is a Lipschitz bound
};

extern template class Mlp<float>;
extern template class Mlp<double>;

}  // namespace fjord::nn
