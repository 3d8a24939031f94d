/// Planar flows.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// x + v tanh(w . x + b), where v is u changed along w such that w . v > -1.
///
/// v = u + (s - 1 - w . u) w / |w|^2 with s = softplus(w . u + log(e - 1)) = 1 + w . v, so that
/// u = 0, as it begins, is the identity. The inverse is a root in one number for each row.
/// Source:  Rezende & Mohamed, Variational Inference with Normalizing Flows, ICML 2015, sec. 4.1
///          and app. A.1.
/// Note:    w starts as draws from N(0, 1 / D); b as 0.
template <class T>
class Planar final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  Planar(Index dim, const RandomKey& random);
  explicit Planar(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  struct Plane {
    Var<T> w;  // [D, 1]
    Var<T> v;  // [1, D]
    Var<T> s;  // [1, 1]
    Var<T> b;  // [1]
  };

  Plane bind(Tape<T>& tape) const;

  Index dim_;
  Parameter<T> w_;
  Parameter<T> u_;
  Parameter<T> b_;
};

extern template class Planar<float>;
extern template class Planar<double>;

}  // namespace fjord::flows
