/// Derivatives by every order of the two sweeps, and points for them.
#pragma once

#include <functional>
#include <vector>

#include "fjord/autodiff/tape.hpp"

namespace fjord::test {

using Number = Var<double>;
using Curve = std::function<Number(const Number&)>;

/// Derivatives of orders 0 to 3 of a function of one number at 0, each by all nestings of the two
/// sweeps.
std::vector<std::vector<double>> derivatives_at_zero(const Curve& f);

/// The largest disagreement of derivatives_at_zero with the right ones of orders 0, 1, ...,
/// relative to their size, at least 1; NaN counts as the largest number.
double worst_derivative(const Curve& f, const std::vector<double>& right);

/// The gradient of a function of a tensor by both sweeps, and the product of its Hessian with a
/// tensor by their four nestings; for large tensors not by forward over forward.
struct Routes {
  std::vector<Tensor<double>> gradients;
  std::vector<Tensor<double>> products;
};

/// Shapes:  f gives one number; `along` as `at`.
Routes routes(const Curve& f, const Tensor<double>& at, const Tensor<double>& along);

bool is_nowhere_finite(const Tensor<double>& x);

/// As is_nowhere_finite, of the lower triangle.
bool is_nowhere_finite_below(const Tensor<double>& x);

/// Whether every entry of a is that of b, or differs by a share of it.
bool is_close(const Tensor<double>& a, const Tensor<double>& b, double tolerance);

/// R diag(values) R^T [3, 3] with the rotation R = R_x(0.7) R_z(0.3).
Tensor<double> turned(const std::vector<double>& values);

/// The symmetric matrix [[1, 2, 0], [2, -1, 1], [0, 1, 3]].
const Tensor<double>& direction();

/// The sum of the entries of a matrix [3, 3] with the weights [[1, 0, 2], [0, 3, 1], [1, 1, -1]].
Number weighted(const Number& x);

}  // namespace fjord::test
