/// Residual flows.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/conditioner.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::flows {

struct ResidualFlowSettings {
  Index dim = 2;           ///< D, > 0
  double lipschitz = 0.9;  ///< of the network in the row, in (0, 1)
  /// In training, rows of at most so many columns get the exact log-determinant, others an
  /// estimate; >= 0.
  Index exact_columns = 16;
  ConditionerSettings network = {};
};

/// From data to base z = y + g(y, given), with a network g whose Lipschitz constant in y is less
/// than 1 (nn::Mlp); from base to data by a fixed point: contraction_root.
///
/// The log-determinant is exact, from the Jacobian, wherever Context::norm is not rms, so for every
/// score and sample. In training, rows of many columns get an unbiased estimate of its value and of
/// its derivatives, with one Rademacher probe v for each row and a random number n of terms:
///
///     sum over k <= n of (-1)^(k+1) / k  v . J^k v / P(n >= k),
///
/// four terms and then as many as a geometric distribution of ratio `lipschitz` says, one number
/// for all rows of a step. Its variance is finite, since |J^k v| <= lipschitz^k |v|.
/// It begins as the identity.
/// Source:  Behrmann et al., Invertible residual networks, ICML 2019; Chen et al., Residual flows
///          for invertible generative modeling, NeurIPS 2019, theorem 1, whose geometric
///          distribution has the ratio 0.5.
/// Note:    The Jacobian takes D tangents of a row, and its determinant D^3 operations.
template <class T>
class ResidualFlow final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if a setting is out of its range.
  ResidualFlow(ResidualFlowSettings settings, const RandomKey& random);
  explicit ResidualFlow(nn::PartReader<T>& reader);

  Var<T> forward(const Var<T>& x, Context<T>& context) const override;
  Var<T> inverse(const Var<T>& y, Context<T>& context) const override;
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  // g of rows, next to what is given of them.
  struct Network {
    const nn::Mlp<T>& mlp;
    std::span<const Var<T>> layers;
    Var<T> given;

    Var<T> operator()(const Var<T>& y) const;
  };

  Network bind(const Var<T>& rows, const Context<T>& context) const;
  // An estimate of log det(1 + J) with image = g(y).
  Var<T> series(const Var<T>& y, const Var<T>& image, Context<T>& context) const;

  ResidualFlowSettings settings_;
  nn::Mlp<T> network_;
};

extern template class ResidualFlow<float>;
extern template class ResidualFlow<double>;

}  // namespace fjord::flows
