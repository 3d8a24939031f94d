/// Radial flows.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// x + c (x - x0) / (a + |x - x0|), with a > 0 and c > -a.
///
/// a = softplus(p) and c = a (softplus(q + log(e - 1)) - 1), so that q = 0, as it begins, is the
/// identity.
/// Source:  Rezende & Mohamed, Variational Inference with Normalizing Flows, ICML 2015, sec. 4.1
///          and app. A.2.
/// Note:    x0 starts as draws from N(0, 1); p as 0.
template <class T>
class Radial final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  Radial(Index dim, const RandomKey& random);
  explicit Radial(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  struct Ball {
    Var<T> center;  // [D]
    Var<T> a;       // [1]
    Var<T> b;       // a + c, [1]
  };

  Ball bind(Tape<T>& tape) const;
  // Of the forward map at rows at the distances r [B, 1] from the center.
  Var<T> log_det(const Ball& ball, const Var<T>& r) const;

  Index dim_;
  Parameter<T> center_;
  Parameter<T> p_;
  Parameter<T> q_;
};

extern template class Radial<float>;
extern template class Radial<double>;

}  // namespace fjord::flows
