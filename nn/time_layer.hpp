/// Affine layers that take the time.
#pragma once

#include <memory>

#include "fjord/nn/linear.hpp"

namespace fjord::nn {

/// One of the affine layers of FFJORD, by name, with s the logistic function, L, G and H affine
/// maps (L0 and L1 two of them) and time [1, K] or [B, K]: the time, or features of it.
///
/// * ignore: L x;
/// * concat, and concatcoord, which differs for pictures only: L (time, x);
/// * concat_v2: L x + H time;
/// * squash: L x * s(G time);
/// * concatsquash: L x * s(G time) + H time;
/// * hyper: x W^T + b with (b, W) = L tanh(G time), G to 8 numbers;
/// * blend: L0 x + (L1 x - L0 x) time, K = 1;
/// * gated: L0 x * s(L1 x).
///
/// Shapes:  time [1, K] or [B, K]; x [B, in]; result [B, out].
/// Errors:  std::invalid_argument if the shapes do not match.
/// Note:    H has no bias, and begins as 0.
/// Source:  Grathwohl et al., FFJORD, ICLR 2019, and its code, lib/layers/diffeq_layers/basic.py of
///          github.com/rtqichen/ffjord; gated there has no time either.
template <class T>
class TimeLayer final : public Part<T> {
 public:
  static constexpr const char* kind = "time layer";

  /// Errors:  std::invalid_argument if the type is unknown or a size not positive, or if K is not 1
  ///          where it must be.
  TimeLayer(std::string_view type, Index time_width, Index in, Index out, const RandomKey& random);

  /// Applies the layer, then the activation if there is one.
  Var<T> forward(const Var<T>& time, const Var<T>& x,
                 const Activation<T>* activation = nullptr) const;

  /// Sets to 0 as many weights as make the result 0 for every x and time.
  void set_zero();

  Description<T> describe() override;

  /// The names of all types.
  static std::vector<std::string_view> types();

  /// The number of weights that a layer of these sizes has.
  static double weights(std::string_view type, Index time_width, Index in, Index out);

 private:
  struct Type;
  struct Call;

  static std::span<const Type> all_types();
  static const Type& type_named(std::string_view name);

  const Type* type_;
  Index in_;
  Index out_;
  std::vector<std::unique_ptr<Linear<T>>> maps_;
  std::unique_ptr<Parameter<T>> shift_;  // the weight [K, out] of H; null without
};

extern template class TimeLayer<float>;
extern template class TimeLayer<double>;

}  // namespace fjord::nn
