/// Affine maps of columns whose numbers depend on what is known of a row.
#pragma once

#include <limits>

#include "fjord/flows/bijector.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::flows {

/// The network that maps what is given of a row.
struct ConditionalAffineOptions {
  std::vector<Index> hidden = {32, 32};  ///< sizes of its hidden layers; empty for none
  std::string activation = "tanh";       ///< one of nn::all_activations
  double bound = std::numeric_limits<double>::infinity();  ///< of the log-scales
};

/// y_d = exp(log_scale_d) x_d + shift_d, where a network maps what is given of the row to the 2 D
/// numbers (shift, a). log_scale is a, or c tanh(a / c) with a bound c, which keeps the scales of
/// rows whose given numbers are far from those of the training between e^-c and e^c.
///
/// Shapes:  Context::given [B, G].
/// Note:    The network's last layer starts as zeros, and the map so as the identity, as the
///          couplings of Glow do.
template <class T>
class ConditionalAffine final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if a size or the bound is not positive, or the activation is
  ///          unknown.
  ConditionalAffine(Index dim, Index given, const ConditionalAffineOptions& options,
                    const RandomKey& random);
  explicit ConditionalAffine(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  struct Numbers {
    Var<T> shift;      // [B, D]
    Var<T> log_scale;  // [B, D]
  };

  Numbers numbers_for(const Var<T>& x, const Context<T>& context) const;

  Index dim_;
  Index given_;
  ConditionalAffineOptions options_;
  nn::Mlp<T> network_;
};

extern template class ConditionalAffine<float>;
extern template class ConditionalAffine<double>;

}  // namespace fjord::flows
