// The operations of random programs; what keeps numbers in a domain is part of their text.
#include "fjord/autodiff/autodiff.hpp"
#include "fjord/tests/support/random_program.hpp"

// A row of the table: what the operands must fit, and an expression, which is also its own text.
#define FJORD_UNARY(fit, ...)                      \
  {                                                \
#__VA_ARGS__, [](const Vars<double>& operands) { \
      const Number& a = operands[0];                 \
      return Number(__VA_ARGS__);                    \
    },                                               \
        { \
      fit                                          \
    }                                              \
  }
#define FJORD_BINARY(fit_a, fit_b, ...)            \
  {                                                \
#__VA_ARGS__, [](const Vars<double>& operands) { \
      const Number& a = operands[0];                 \
      const Number& b = operands[1];                 \
      return Number(__VA_ARGS__);                    \
    },                                               \
        { \
      fit_a, fit_b                                 \
    }                                              \
  }
#define FJORD_TERNARY(fit_a, fit_b, fit_c, ...)    \
  {                                                \
#__VA_ARGS__, [](const Vars<double>& operands) { \
      const Number& a = operands[0];                 \
      const Number& b = operands[1];                 \
      const Number& c = operands[2];                 \
      return Number(__VA_ARGS__);                    \
    },                                               \
        { \
      fit_a, fit_b, fit_c                          \
    }                                              \
  }
#define FJORD_QUATERNARY(fit_a, fit_b, fit_c, fit_d, ...) \
  {                                                       \
#__VA_ARGS__, [](const Vars<double>& operands) {      \
      const Number& a = operands[0];                      \
      const Number& b = operands[1];                      \
      const Number& c = operands[2];                      \
      const Number& d = operands[3];                      \
      return Number(__VA_ARGS__);                         \
    },                                                    \
        {   \
      fit_a, fit_b, fit_c, fit_d                          \
    }                                                     \
  }

namespace fjord::test {
namespace {

using Number = Var<double>;
using Places = Tensor<Index>;

bool any(const Shape&, const Shape&) {
  return true;
}

bool same(const Shape& shape, const Shape& first) {
  return shape == first;
}

bool stretches(const Shape& shape, const Shape& first) {
  for (std::size_t k = 1; k <= std::min(shape.rank(), first.rank()); ++k) {
    const Index size = shape[shape.rank() - k];
    const Index other = first[first.rank() - k];
    if (size != other && size != 1 && other != 1) return false;
  }
  return true;
}

bool scalar(const Shape& shape, const Shape&) {
  return shape.rank() == 0;
}

bool with_axis(const Shape& shape, const Shape&) {
  return shape.rank() > 0;
}

bool vector(const Shape& shape, const Shape&) {
  return shape == Shape{3};
}

bool two_rows(const Shape& shape, const Shape&) {
  return shape == Shape{2, 3};
}

bool matrix(const Shape& shape, const Shape&) {
  return shape == Shape{3, 3};
}

// [..., 3], at least two axes.
bool rows(const Shape& shape, const Shape&) {
  return shape.rank() > 1 && shape[shape.rank() - 1] == 3;
}

// [..., 3, 3].
bool square_matrices(const Shape& shape, const Shape& first) {
  return rows(shape, first) && shape[shape.rank() - 2] == 3;
}

// [..., 3] with entries that do not tie where those of a do: nothing discontinuous may be left to
// rounding, which is why other numbers are moved by 0.137 below.
Number apart(const Number& a) {
  return a + a.tape().input({0, 0.37, 0.81});
}

// Well-conditioned matrices, positive definite ones of their lower triangle, eigenvalues apart.
Number steady(const Number& a) {
  return 0.3 * sin(a) + a.tape().input({{2, 0, 0}, {0, 5, 0}, {0, 0, 8}});
}

constexpr ProgramOperation operations[] = {
    // elementwise
    FJORD_BINARY(any, stretches, a + b),
    FJORD_BINARY(any, stretches, a - b),
    FJORD_BINARY(any, stretches, a* b),
    FJORD_BINARY(any, stretches, a / (1 + square(b))),
    FJORD_UNARY(any, 2 - a * 0.5),
    FJORD_UNARY(any, 1 / (2 + sin(a))),
    FJORD_UNARY(any, reciprocal(1 + square(a))),
    FJORD_UNARY(any, square(a)),
    FJORD_UNARY(any, sqrt(1 + square(a))),
    FJORD_UNARY(any, identity(a)),
    FJORD_BINARY(any, same, scale(a, b)),
    FJORD_QUATERNARY(any, same, same, same, scale_sum(a, b, c, d)),
    // exponential
    FJORD_UNARY(any, exp(a)),
    FJORD_UNARY(any, exp2(a)),
    FJORD_UNARY(any, expm1(a)),
    FJORD_UNARY(any, log(1 + square(a))),
    FJORD_UNARY(any, log2(2 + sin(a))),
    FJORD_UNARY(any, log10(2 + cos(a))),
    FJORD_UNARY(any, log1p(square(a))),
    FJORD_UNARY(any, log1mexp(0.2 + square(a))),
    FJORD_BINARY(any, stretches, logaddexp(a, b)),
    FJORD_BINARY(any, stretches, xlogy(a, 1 + square(b))),
    FJORD_BINARY(any, stretches, xlog1py(a, square(b))),
    // trigonometric, hyperbolic
    FJORD_UNARY(any, sin(a)),
    FJORD_UNARY(any, cos(a)),
    FJORD_UNARY(any, tan(sin(a))),
    FJORD_UNARY(any, asin(0.9 * sin(a))),
    FJORD_UNARY(any, acos(0.9 * cos(a))),
    FJORD_UNARY(any, atan(a)),
    FJORD_BINARY(any, stretches, atan2(a, 2 + sin(b))),
    FJORD_BINARY(any, stretches, atan2(2 + sin(a), b)),
    FJORD_BINARY(any, stretches, hypot(a, 2 + sin(b))),
    FJORD_UNARY(any, sinc(a)),
    FJORD_UNARY(any, sinh(a)),
    FJORD_UNARY(any, cosh(a)),
    FJORD_UNARY(any, asinh(a)),
    FJORD_UNARY(any, acosh(1.5 + square(a))),
    FJORD_UNARY(any, atanh(0.9 * sin(a))),
    // activation
    FJORD_UNARY(any, tanh(a)),
    FJORD_UNARY(any, sigmoid(a)),
    FJORD_UNARY(any, log_sigmoid(a)),
    FJORD_UNARY(any, softplus(a)),
    FJORD_UNARY(any, relu(a)),
    FJORD_UNARY(any, leaky_relu(a, 0.2)),
    FJORD_UNARY(any, elu(a)),
    FJORD_UNARY(any, celu(a, 1.5)),
    FJORD_UNARY(any, selu(a)),
    FJORD_UNARY(any, silu(a)),
    FJORD_UNARY(any, mish(a)),
    FJORD_UNARY(any, softsign(a)),
    FJORD_UNARY(any, gelu(a)),
    FJORD_UNARY(any, normal_cdf(a)),
    // error function, gamma function, powers
    FJORD_UNARY(any, erf(a)),
    FJORD_UNARY(any, erfc(a)),
    FJORD_UNARY(any, erfinv(0.9 * sin(a))),
    FJORD_UNARY(any, log_normal_cdf(a)),
    FJORD_UNARY(any, lgamma(0.5 + softplus(a))),
    FJORD_UNARY(any, lgamma(0.3 * sin(a) - 0.5)),
    FJORD_UNARY(any, digamma(1 + square(a))),
    FJORD_UNARY(any, digamma(0.3 * sin(a) - 0.5)),
    FJORD_UNARY(any, polygamma(2, 1 + square(a))),
    FJORD_BINARY(any, stretches, betaln(1 + square(a), 0.5 + softplus(b))),
    FJORD_BINARY(any, stretches, pow(1 + square(a), sin(b))),
    FJORD_UNARY(any, pow(a, 3)),
    FJORD_UNARY(any, pow(3, a)),
    FJORD_UNARY(any, rsqrt(1 + square(a))),
    FJORD_UNARY(any, cbrt(2 + sin(a))),
    FJORD_UNARY(any, cbrt(sin(a) - 2)),
    // rounding, choices
    FJORD_UNARY(any, abs(a)),
    FJORD_BINARY(any, stretches, sign(a + 0.137) * b),
    FJORD_UNARY(any, a - floor(a + 0.137)),
    FJORD_UNARY(any, ceil(a + 0.137) * a),
    FJORD_UNARY(any, sin(a + round(a + 0.137))),
    FJORD_UNARY(any, fmod(a + 0.137, 1.5)),
    FJORD_BINARY(any, stretches, fmod(a + 0.137, 1 + square(b))),
    FJORD_BINARY(any, stretches, where(a > b + 0.137, a* b, sin(a))),
    FJORD_BINARY(any, stretches, where(a <= 0.137, b, exp(a))),
    FJORD_BINARY(any, stretches, where(not_equal(a, b + 0.137), a* b, a)),
    FJORD_BINARY(any, stretches, maximum(a, b)),
    FJORD_BINARY(any, stretches, minimum(a, b)),
    FJORD_UNARY(any, maximum(a, 0.3)),
    FJORD_UNARY(any, clamp(a, -1, 1.2)),
    // largest and smallest entries, sorting
    FJORD_UNARY(any, max(a)),
    FJORD_UNARY(with_axis, max(a, {-1}, true)),
    FJORD_UNARY(with_axis, max(a, {0})),
    FJORD_UNARY(any, min(a)),
    FJORD_UNARY(with_axis, min(a, {-1})),
    FJORD_UNARY(with_axis, sort(a)),
    FJORD_UNARY(with_axis, sort(a, 0)),
    FJORD_UNARY(any, median(a)),
    FJORD_UNARY(with_axis, median(a, -1)),
    FJORD_UNARY(with_axis, median(a, 0, true)),
    // sums and the like
    FJORD_UNARY(any, sum(a)),
    FJORD_UNARY(with_axis, sum(a, {-1})),
    FJORD_UNARY(with_axis, sum(a, {0}, true)),
    FJORD_UNARY(any, mean(a)),
    FJORD_UNARY(with_axis, mean(a, {-1}, true)),
    FJORD_UNARY(any, prod(a)),
    FJORD_UNARY(with_axis, prod(a, {-1})),
    FJORD_UNARY(with_axis, prod(a, {0}, true)),
    FJORD_UNARY(any, variance(a)),
    FJORD_UNARY(rows, variance(a, {-1}, true, 1)),
    FJORD_UNARY(square_matrices, standard_deviation(steady(a), {-1})),
    FJORD_BINARY(any, stretches, sum_to(a + b, b)),
    FJORD_UNARY(vector, broadcast_to(a, {2, 3})),
    FJORD_UNARY(matrix, broadcast_to(a, {2, 3, 3})),
    FJORD_UNARY(square_matrices, trace(a)),
    FJORD_UNARY(any, norm(2 + sin(a))),
    FJORD_UNARY(with_axis, norm(2 + cos(a), {-1})),
    FJORD_UNARY(with_axis, norm(sin(a) - 2, {0}, true, 3)),
    FJORD_UNARY(any, norm(a, 1)),
    FJORD_UNARY(any, norm(a, inf)),
    FJORD_UNARY(any, sum_squares(a)),
    FJORD_UNARY(with_axis, sum_squares(a, {-1}, true)),
    FJORD_UNARY(with_axis, cumsum(a, -1)),
    FJORD_UNARY(with_axis, cumsum(a, 0)),
    FJORD_UNARY(with_axis, cumprod(a, -1)),
    FJORD_UNARY(with_axis, cumprod(a, 0)),
    FJORD_UNARY(with_axis, logcumsumexp(a, -1)),
    FJORD_UNARY(with_axis, logcumsumexp(a, 0)),
    FJORD_UNARY(any, logsumexp(a)),
    FJORD_UNARY(with_axis, logsumexp(a, {-1})),
    FJORD_UNARY(with_axis, logsumexp(a, {0}, true)),
    FJORD_UNARY(with_axis, softmax(a)),
    FJORD_UNARY(with_axis, softmax(a, 0)),
    FJORD_UNARY(with_axis, log_softmax(a)),
    FJORD_UNARY(with_axis, log_softmax(a, 0)),
    // moving entries
    FJORD_UNARY(any, reshape(a, {1, a.shape().size()})),
    FJORD_UNARY(two_rows, reshape(a, {3, 2})),
    FJORD_UNARY(rows, slice(a, -1, 1, 3)),
    FJORD_UNARY(rows, slice(a, -1, 2, {}, -1)),
    FJORD_UNARY(rows, slice(a, 0, a.shape()[0] - 1, a.shape()[0])),
    FJORD_UNARY(rows, slice(a, -1, 0, 3, 2)),
    FJORD_BINARY(with_axis, same,
                 slice(concatenate({a, b}, -1), -1, 1, 1 + a.shape()[a.shape().rank() - 1])),
    FJORD_BINARY(rows, same, concatenate({a, b, a}, 0)),
    FJORD_UNARY(rows, swap_axes(a, 0, 1)),
    FJORD_UNARY(any, transpose(a)),
    FJORD_UNARY(rows, take(a, Places{2, 0, 2}, -1)),
    FJORD_UNARY(rows, take(a, Places{0, -1}, 0)),
    FJORD_UNARY(two_rows, take(a, Places{{0, 1}, {1, 1}}, 0)),
    FJORD_BINARY(rows, same, gather(a, argsort(apart(b)), -1)),
    FJORD_BINARY(vector, rows, take(a, argmax(apart(b), -1), 0)),
    FJORD_BINARY(rows, same, scatter_add(a, argsort(apart(b)), b, -1)),
    FJORD_BINARY(vector, vector, scatter_add(a, Places{1, 1, -1}, b, 0)),
    FJORD_UNARY(with_axis, flip(a, -1)),
    FJORD_UNARY(with_axis, roll(a, 1, 0)),
    FJORD_UNARY(with_axis, repeat(a, 2, -1)),
    FJORD_UNARY(vector, tile(a, {2, 1})),
    FJORD_UNARY(any, tile(a, {2})),
    FJORD_BINARY(any, same, stack({a, b}, 0)),
    FJORD_BINARY(any, same, stack({a, b}, -1)),
    FJORD_UNARY(rows, split(a, 3, -1)[1]),
    FJORD_UNARY(two_rows, pad(a, {{1, 0}, {0, 0}}, 0.5)),
    FJORD_UNARY(vector, pad(a, {{1, 1}})),
    FJORD_UNARY(vector, diag(a)),
    FJORD_UNARY(matrix, diag(a)),
    FJORD_UNARY(matrix, diag(a, 1)),
    FJORD_UNARY(rows, tril(a)),
    FJORD_UNARY(rows, triu(a, 1)),
    FJORD_BINARY(vector, vector, outer(a, b)),
    FJORD_BINARY(vector, two_rows, kron(a, b)),
    // products
    FJORD_BINARY(rows, square_matrices, matmul(a, sin(b))),
    FJORD_BINARY(vector, square_matrices, matmul(sin(a), b)),
    FJORD_BINARY(rows, vector, matmul(sin(a), b)),
    FJORD_BINARY(vector, vector, dot(sin(a), b)),
    FJORD_BINARY(rows, matrix, dot(a, sin(b))),
    FJORD_BINARY(two_rows, matrix, einsum("ij,kj->ki", sin(a), b)),
    FJORD_BINARY(matrix, matrix, einsum("ij,ij->j", a, sin(b))),
    FJORD_BINARY(matrix, vector, einsum("ij,j->ij", a, b)),
    FJORD_BINARY(two_rows, two_rows, einsum("ni,nj->nij", sin(a), b)),
    FJORD_QUATERNARY(any, same, same, scalar,
                     add_combination<double>(a, d, std::array{0.5, -0.25}, std::array{b, c})),
    // matrices: `steady` is well-conditioned, and its eigenvalues are apart
    FJORD_UNARY(square_matrices, det(sin(a))),
    FJORD_UNARY(square_matrices, log(det(steady(a)))),
    FJORD_UNARY(square_matrices, log_det(steady(a))),
    FJORD_UNARY(square_matrices, slogdet(-steady(a)).log_abs),
    FJORD_UNARY(square_matrices, inverse(steady(a))),
    FJORD_UNARY(square_matrices, inverse(lu_factor(steady(a)))),
    FJORD_BINARY(square_matrices, vector, solve(steady(a), b)),
    FJORD_BINARY(square_matrices, matrix, solve(steady(a), b)),
    FJORD_BINARY(matrix, rows, solve(steady(a), b, Side::right)),
    FJORD_BINARY(square_matrices, matrix, triangular_solve(steady(a), b)),
    FJORD_BINARY(matrix, rows,
                 triangular_solve(steady(a), b, {.lower = false, .side = Side::right})),
    FJORD_BINARY(matrix, vector,
                 triangular_solve(0.5 * sin(a), b, {.transposed = true, .unit_diagonal = true})),
    FJORD_UNARY(square_matrices, cholesky(steady(a))),
    FJORD_BINARY(square_matrices, matrix, cholesky_solve(cholesky(steady(a)), b)),
    FJORD_UNARY(square_matrices, qr(steady(a)).q),
    FJORD_UNARY(square_matrices, qr(steady(a)).r),
    FJORD_UNARY(square_matrices, eigh(steady(a)).values),
    FJORD_UNARY(square_matrices, eigh(steady(a)).vectors),
    FJORD_UNARY(square_matrices, svd(steady(a)).s),
    FJORD_UNARY(square_matrices, svd(steady(a)).u),
    FJORD_UNARY(square_matrices, svd(steady(a)).vh),
    FJORD_UNARY(square_matrices, matrix_exp(sin(a))),
    FJORD_UNARY(square_matrices, matrix_power(sin(a), 3)),
    FJORD_UNARY(square_matrices, matrix_power(steady(a), -2)),
    // networks and losses
    FJORD_TERNARY(rows, matrix, vector, affine(a, sin(b), c)),
    FJORD_TERNARY(rows, matrix, vector, tanh_affine(a, b, c)),
    FJORD_TERNARY(rows, matrix, same, scaled_product(a, sin(b), c)),
    FJORD_QUATERNARY(scalar, two_rows, matrix, vector,
                     tanh_mlp<double>(a, b, Vars<double>{c, d, c, d})),
    FJORD_QUATERNARY(
        scalar, two_rows, matrix, vector,
        tanh_mlp_with_divergence<double>(a, b, Vars<double>{concatenate({c, c}, -1), d, c, d})),
    FJORD_TERNARY(rows, vector, vector, layer_norm(a, b, c, 0.1)),
    FJORD_TERNARY(matrix, vector, vector, batch_norm(a, b, c, 0.1)),
    FJORD_BINARY(any, same, mean_squared_error(a, b)),
    FJORD_BINARY(any, same, huber(a, b, 0.7)),
    FJORD_UNARY(two_rows, cross_entropy(a, Places{1, 2})),
    // derivatives, of which the program takes further ones
    FJORD_BINARY(any, same, jvp([&](const Number& x) { return sin(x) * b; }, a, b)),
    FJORD_BINARY(any, same, vjp([&](const Number& x) { return exp(sin(x)) * a; }, a, b)),
    FJORD_BINARY(any, same, hvp([&](const Number& x) { return sum(sin(x * b)); }, a, b)),
    FJORD_UNARY(vector, jacobian([](const Number& x) { return softmax(x) * x; }, a)),
    FJORD_BINARY(vector, vector, hessian([&](const Number& x) { return logsumexp(x * b); }, a)),
    FJORD_UNARY(any, derivative([](const Number& x) { return sin(x) * x; }, a, 2)),
    FJORD_BINARY(two_rows, matrix,
                 divergence([&](const Number& x) { return tanh(matmul(x, b)) * x; }, a)),
    FJORD_UNARY(any, log(sum(exp(a - stop_gradient(max(a))))) + stop_gradient(max(a))),
};

}  // namespace

std::span<const ProgramOperation> program_operations() {
  return operations;
}

}  // namespace fjord::test
