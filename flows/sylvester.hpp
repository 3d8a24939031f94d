/// Sylvester flows.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// x + Q R tanh(S Q^T x + b) with Q orthogonal, a product of reflections, and R and S upper
/// triangular, with diagonals in (-1, 1).
///
/// The inverse is a root in one number for each row and column, by substitution from the last one.
/// It begins as the identity, R = 0.
/// Source:  van den Berg et al., Sylvester Normalizing Flows for Variational Inference, UAI 2018,
///          sec. 3 and 4.2 (Householder).
/// Note:    One parameter, [D, D], holds R above the diagonal and S^T below it; its diagonal and
///          `diagonal` are the arctanh of those of R and S.
template <class T>
class Sylvester final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim or the number of reflections is not positive.
  Sylvester(Index dim, Index reflections, const RandomKey& random);
  explicit Sylvester(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  struct Matrices {
    Var<T> r;
    Var<T> s;
    Var<T> b;        // [D]
    Var<T> product;  // of the diagonals, [D]
    Var<T> mirrors;  // [reflections, D]
  };

  Matrices bind(Tape<T>& tape) const;
  // tanh(S z + b) for the z with z + R tanh(S z + b) = c, row by row.
  Var<T> solve(const Matrices& matrices, const Var<T>& c) const;

  Parameter<T> triangles_;
  Parameter<T> diagonal_;
  Parameter<T> bias_;
  Parameter<T> mirrors_;
};

extern template class Sylvester<float>;
extern template class Sylvester<double>;

}  // namespace fjord::flows
