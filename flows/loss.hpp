/// What training makes small.
#pragma once

#include <vector>

#include "fjord/flows/distribution.hpp"
#include "fjord/flows/regularizer.hpp"

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

/// A regulariser of continuous flows, and how much it counts.
template <class T>
struct WeightedRegularizer {
  const Regularizer<T>* regularizer;  ///< never null
  double weight;                      ///< >= 0; with 0 it is only reported
};

/// -log_prob, in nats, and in training the sum of the regularisers, each with its weight.
template <class T>
class NegativeLogLikelihood final : public Loss<T> {
 public:
  /// Errors:  std::invalid_argument if a regulariser is null, or a weight negative or not finite.
  explicit NegativeLogLikelihood(const std::vector<WeightedRegularizer<T>>& regularizers = {});

  /// Note:    Context::penalties has the regularisers after it.
  Var<T> of_rows(const Distribution<T>& model, const Var<T>& x, Context<T>& context) const override;

 private:
  std::vector<const Regularizer<T>*> regularizers_;
  std::vector<T> weights_;
};

extern template class NegativeLogLikelihood<float>;
extern template class NegativeLogLikelihood<double>;

}  // namespace fjord::flows
