/// Autoregressive flows: every column is transformed as those before it say.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/conditioner.hpp"
#include "fjord/flows/transformer.hpp"
#include "fjord/nn/masked_mlp.hpp"

namespace fjord::flows {

struct AutoregressiveSettings {
  std::vector<Index> order = {0, 1};  ///< of the columns: each of 0, ..., D - 1 once
  ConditionerSettings network = {};
};

/// A masked network gives every column the parameters of its transformer, from the data in the
/// columns before it in the order, and from what is given.
///
/// From data to base it takes one evaluation of the network, from base to data one for each column.
/// It begins as the identity. Its Inverse is an inverse autoregressive flow.
/// Source:  Papamakarios et al., Masked Autoregressive Flow for Density Estimation, NIPS 2017;
///          Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, NIPS
///          2016.
template <class T>
class Autoregressive final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if the order is not one of columns, the transformer is null, or
  ///          the network cannot be made.
  Autoregressive(AutoregressiveSettings settings, std::unique_ptr<Transformer<T>> transformer,
                 const RandomKey& random);
  explicit Autoregressive(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  Index dim() const { return static_cast<Index>(settings_.order.size()); }

  void check(const Var<T>& x, const Context<T>& context) const;
  // The transformer's parameters for rows of data.
  Var<T> parameters(const Var<T>& data, const Context<T>& context) const;

  AutoregressiveSettings settings_;
  std::unique_ptr<Transformer<T>> transformer_;
  std::unique_ptr<nn::MaskedMlp<T>> network_;
};

extern template class Autoregressive<float>;
extern template class Autoregressive<double>;

}  // namespace fjord::flows
