/// Fields that are gradients of potentials.
#pragma once

#include "fjord/flows/vector_field.hpp"
#include "fjord/nn/linear.hpp"

namespace fjord::flows {

struct PotentialOptions {
  Index dim = 2;     ///< D, width of a row, > 0
  Index width = 32;  ///< m, of the network, > 0
  Index layers = 1;  ///< M, residual layers of the network, > 0
  Index rank = 10;   ///< of the quadratic part, > 0; at most the width of s is used
  Index given = 0;   ///< columns of what is given, next to x
};

/// f = -dP/dx of the potential P(s) = w . N(s) + |A s|^2 / 2 + b . x + c t, with s = (x, given, t),
/// the network u = a(K_0 s + b_0), N = u after u = u + a(K_i u + b_i) / M for i = 1 to M, and
/// a(y) = log(exp y + exp -y), whose derivative is tanh. It knows its divergence.
///
/// Note:    c only has derivatives by the regulariser hamilton_jacobi_bellman.
/// Source:  Onken, Wu Fung, Li & Ruthotto, OT-Flow, AAAI 2021, eqs. 10 to 15; its code, src/Phi.py
///          of github.com/EmoryMLIP/OT-Flow, for initial values: w = 1, b = 0, c = 0.
template <class T>
class PotentialField final : public VectorField<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  PotentialField(const PotentialOptions& options, const RandomKey& random);
  explicit PotentialField(nn::PartReader<T>& reader);

  Var<T> slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;

  bool knows_divergence() const override { return true; }

  Var<T> with_divergence(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  Var<T> potential_time_slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  nn::Description<T> describe() override;

 private:
  struct Pass;

  // The network up to its derivative in what its first layer gives.
  Pass pass(const Var<T>& t, const Var<T>& x, const Var<T>& given) const;
  // dN/ds w + A^T A s, of entries first to last - 1 of s.
  Var<T> gradient(const Pass& pass, Index first, Index last) const;
  // The trace of the second derivatives in x: [B, 1].
  Var<T> trace_of_hessian(const Pass& pass) const;
  Var<T> negative_gradient(const Pass& pass) const;

  PotentialOptions options_;
  std::vector<std::unique_ptr<nn::Linear<T>>> layers_;
  Parameter<T> w_;  // [m]
  Parameter<T> a_;  // [rank, width of s]
  Parameter<T> b_;  // [D]
  Parameter<T> c_;  // a number
};

extern template class PotentialField<float>;
extern template class PotentialField<double>;

}  // namespace fjord::flows
