/// Integrals of positive networks.
#pragma once

#include "fjord/autodiff/random.hpp"
#include "fjord/flows/transformer.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::flows {

struct UnconstrainedMonotonicSettings {
  Index signal = 16;  ///< numbers that tell the network of the other columns, > 0
  std::vector<Index> hidden = {32, 32};  ///< widths of its hidden layers, each > 0
  std::string activation = "tanh";       ///< a smooth one, for the quadrature's sake
  Index nodes = 32;                      ///< of the quadrature, from 1 to 256
};

/// c + the integral from 0 to x of e^g(t), where g = 7 tanh(network(t, signal) / 7), so that slopes
/// stay between e^-7 and e^7.
///
/// The integral is Gauss and Legendre's sum. Parameters of an entry are the signal and c. The
/// network begins as 0, whatever the signal.
/// Source:  Wehenkel & Louppe, Unconstrained Monotonic Neural Networks, NeurIPS 2019. The bound is
///          zuko's.
/// Note:    The log-slope is that of the sum. It is NaN where it differs from the integrand by more
///          than a factor of 2, because the integrand changes too fast for the nodes. That is far
///          out, where x is many times the width of a step of the network. Standardise the data, or
///          take more nodes.
template <class T>
class UnconstrainedMonotonic final : public Transformer<T> {
 public:
  /// Errors:  std::invalid_argument if a setting is out of its range.
  UnconstrainedMonotonic(const UnconstrainedMonotonicSettings& settings, const RandomKey& random);
  explicit UnconstrainedMonotonic(nn::PartReader<T>& reader);

  Index parameter_count() const override { return settings_.signal + 1; }

  WithLogSlope<T> apply(const Var<T>& x, const Var<T>& parameters) const override;
  WithLogSlope<T> invert(const Var<T>& y, const Var<T>& parameters) const override;
  nn::Description<T> describe() override;

 private:
  // g at places [..., 1] with signals [..., signal].
  Var<T> log_integrand(const Var<T>& places, const Var<T>& signals) const;

  UnconstrainedMonotonicSettings settings_;
  std::unique_ptr<nn::Mlp<T>> network_;
  Tensor<T> nodes_;    // in [0, 1], [N, 1, 1, 1]
  Tensor<T> weights_;  // their sum is 1, as the nodes
};

extern template class UnconstrainedMonotonic<float>;
extern template class UnconstrainedMonotonic<double>;

}  // namespace fjord::flows
