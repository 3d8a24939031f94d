/// Linear maps that mix the columns of a row, with determinants that cost nothing.
#pragma once

#include <vector>

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// A rotation, or one with a reflection: y = H_1 x, then H_2, and so on to H_K, where H_k = I - 2
/// v_k v_k^T / |v_k|^2 reflects a row in a plane.
///
/// Computed as a single product: y = x - V^T S^-T V x, where S is the upper triangle of V V^T with
/// its diagonal halved.
/// Source:  Tomczak & Welling, Improving variational auto-encoders using Householder flow, 2016;
///          Walker, Implementation of the GMRES method using Householder transformations, SIAM J.
///          Sci. Stat. Comput. 9, 1988, for S.
/// Note:    The vectors V start as draws from N(0, 1); K = D reaches every rotation. One that
///          becomes 0 is a NumericalError.
template <class T>
class Householder final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim or reflections are not positive.
  Householder(Index dim, Index reflections, const RandomKey& random);
  explicit Householder(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  // The reflections in their order, or in the reverse order.
  Var<T> reflect(const Var<T>& x, bool reversed) const;

  Parameter<T> vectors_;
  Tensor<T> halved_;
};

/// y = W x for every row, W = P L U with a fixed permutation P, a lower triangle L with ones on its
/// diagonal, and an upper triangle U, whose diagonal has fixed signs; a random rotation at first.
///
/// Source:  Kingma & Dhariwal, Glow: generative flow with invertible 1x1 convolutions, 2018, eq.
///          10.
/// Note:    The parameter is one matrix: L below the diagonal, U above it, and on it the logarithms
///          of the magnitudes of U's.
template <class T>
class LuLinear final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  LuLinear(Index dim, const RandomKey& random);
  /// With this matrix W at first.
  ///
  /// Shapes:  matrix [D, D], D > 0.
  /// Errors:  std::invalid_argument if it is singular or has another shape.
  explicit LuLinear(const Tensor<double>& matrix);
  /// With the P and the signs of U that are kept: column k of P z is column order[k] of z. L = I,
  /// and U has the signs on its diagonal only.
  ///
  /// Errors:  std::invalid_argument if the order is not one of 0 .. D - 1, or there are not D
  ///          signs, each 1 or -1.
  LuLinear(std::vector<Index> order, std::vector<double> signs);
  explicit LuLinear(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  void fix(std::vector<Index> order, std::vector<double> signs);
  Var<T> upper(const Var<T>& factors, const Var<T>& log_diagonal) const;

  Parameter<T> factors_;
  std::vector<Index> order_;
  std::vector<double> signs_;
  Tensor<Index> places_;
  Tensor<Index> places_back_;
  Tensor<T> sign_;
};

/// y = A x + shift for every row, A a lower triangle with a positive diagonal; the identity at
/// first.
///
/// Makes every normal distribution of N(0, I): A is the Cholesky factor of its covariance.
/// Note:    The parameters are the shift and A's triangle row by row, its diagonal as logarithms.
template <class T>
class Triangular final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is not positive.
  explicit Triangular(Index dim);
  explicit Triangular(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  struct Factor {
    Var<T> matrix;        // A
    Var<T> log_diagonal;  // [D]
  };

  Factor bind(Tape<T>& tape) const;

  Parameter<T> shift_;
  Parameter<T> triangle_;
  Tensor<Index> places_;
};

extern template class Householder<float>;
extern template class Householder<double>;
extern template class LuLinear<float>;
extern template class LuLinear<double>;
extern template class Triangular<float>;
extern template class Triangular<double>;

}  // namespace fjord::flows
