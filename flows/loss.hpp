/// What training makes small.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// A loss: the mean over rows, each with its weight, of a number for every row.
template <class T>
class Loss {
 public:
  virtual ~Loss() = default;

  /// The numbers of rows x [B, D], [B]; they depend on the rows, their numbers in the batch and the
  /// context only.
  virtual Var<T> of_rows(const Distribution<T>& model, const Var<T>& x,
                         Context<T>& context) const = 0;

 protected:
  Loss() = default;
  Loss(const Loss&) = default;
  Loss& operator=(const Loss&) = default;
};

/// -log_prob, in nats.
template <class T>
class NegativeLogLikelihood final : public Loss<T> {
 public:
  Var<T> of_rows(const Distribution<T>& model, const Var<T>& x,
                 Context<T>& context) const override {
    return -model.log_prob(x, context);
  }
};

}  // namespace fjord::flows
