#include <doctest/doctest.h>

#include "fjord/autodiff/ops/determinant.hpp"
#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/matrix_function.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/autodiff/ops/spectral.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/tests/support/matrices.hpp"
#include "fjord/tests/support/routes.hpp"

using namespace fjord;
using namespace fjord::test;

namespace {

// A sentence on the first route that gets a derivative of a function of one number wrong.
std::string wrong_derivative(const Function<double>& f, double t, std::size_t order,
                             double expected) {
  for (const std::string& route : routes(static_cast<int>(order))) {
    const double got = derivative_by(route, f, Tensor<double>(t), std::vector<Index>(order, 0));
    if (std::abs(got - expected) <= 1e-12 * std::max(1.0, std::abs(expected))) continue;
    return "by " + route + ": " + std::to_string(got) + ", expected " + std::to_string(expected);
  }
  return {};
}

// f(t), f'(t), f''(t), ... of a function of one number, every derivative by every route.
void check_derivatives(const Function<double>& f, double t, const std::vector<double>& expected) {
  Tape<double> tape;
  CHECK(f(tape.scalar(t)).item() == doctest::Approx(expected[0]).epsilon(1e-13));
  for (std::size_t order = 1; order < expected.size(); ++order) {
    CHECK(wrong_derivative(f, t, order, expected[order]) == "");
  }
}

// The matrices a + t b.
Var<double> line(const Var<double>& t, const Tensor<double>& a, const Tensor<double>& b) {
  return t.tape().input(a) + t * t.tape().input(b);
}

}  // namespace

TEST_CASE("conformance: det of a regular matrix has its derivatives by every route") {
  const Tensor<double> a{{2, 1}, {1, 3}};
  const Tensor<double> b{{1, 0}, {0, 2}};
  check_derivatives([&](const Var<double>& t) { return det(line(t, a, b)); }, 0.7,
                    {10.88, 9.8, 4, 0});
  // The same, times det [[2, 1], [1, 3]], as one block of a larger matrix.
  const Tensor<double> larger{{2, 0, 1, 0}, {0, 2, 0, 1}, {1, 0, 3, 0}, {0, 1, 0, 3}};
  const Tensor<double> larger_b{{1, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 2, 0}, {0, 0, 0, 0}};
  check_derivatives([&](const Var<double>& t) { return det(line(t, larger, larger_b)); }, 0.7,
                    {54.4, 49, 20, 0});
}

TEST_CASE("conformance: det has the exact Hessian of a polynomial") {
  const Tensor<double> at{{1.3, 0.4}, {-0.7, 0.9}};
  const Tensor<double> hessian{{0, 0, 0, 1}, {0, 0, -1, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}};
  const Function<double> f = [](const Var<double>& x) { return det(x); };
  CHECK(wrong_route(f, at, 2, hessian, 1e-15) == "");
  CHECK(wrong_route(f, Tensor<double>{{1, 2}, {2, 4}}, 2, hessian, 1e-15) == "");
  CHECK(wrong_route(f, Tensor<double>::zeros({2, 2}), 2, hessian, 1e-15) == "");
}

TEST_CASE("conformance: third derivatives of a 3x3 det are the permutations' signs") {
  // Zeros but for entries in three different rows and columns.
  Tensor<double> third = Tensor<double>::zeros({9, 9, 9});
  for (Index i = 0; i < 9; ++i) {
    for (Index j = 0; j < 9; ++j) {
      for (Index k = 0; k < 9; ++k) {
        const Index rows = (i / 3 - j / 3) * (j / 3 - k / 3) * (k / 3 - i / 3);
        const Index columns = (i % 3 - j % 3) * (j % 3 - k % 3) * (k % 3 - i % 3);
        third(i, j, k) = static_cast<double>(rows * columns) / 4;
      }
    }
  }
  const Tensor<double> rank_one{{1, 2, 3}, {2, 4, 6}, {-1, -2, -3}};
  CHECK(wrong_route([](const Var<double>& x) { return det(x); }, rank_one, 3, third, 0) == "");
}

TEST_CASE(
    "conformance: det of singular matrices has every derivative of the characteristic polynomial") {
  // det(A + t) = product of (eigenvalue + t): the elementary symmetric sums, times factorials.
  struct Case {
    std::vector<double> eigenvalues;
    std::vector<double> derivatives;
  };

  const std::vector<Case> cases{
      {{1, 2, 3, 4, 0}, {0, 24, 100, 210}}, {{1, 2, 3, 0, 0}, {0, 0, 12, 66}},
      {{2, 3, 0, 0, 0}, {0, 0, 0, 36}},     {{5, 0, 0, 0, 0}, {0, 0, 0, 0}},
      {{0, 0, 0, 0}, {0, 0, 0, 0}},         {{-1, 2, 1, 3}, {-6, -5, 10, 30}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.eigenvalues.size());
    const Tensor<double> a = symmetric_with(c.eigenvalues);
    const Tensor<double> one = Tensor<double>::identity(a.shape()[0]);
    check_derivatives([&](const Var<double>& t) { return det(line(t, a, one)); }, 0, c.derivatives);
  }
  const Tensor<double> batch =
      batch_of({symmetric_with(cases[0].eigenvalues), symmetric_with(cases[1].eigenvalues)});
  check_derivatives(
      [&](const Var<double>& t) {
        const Var<double> weights = t.tape().input(Tensor<double>{10, 1});
        return sum(det(line(t, batch, Tensor<double>::identity(5))) * weights);
      },
      0, {0, 240, 1012, 2166});
}

TEST_CASE("conformance: log_det and slogdet have the derivatives of log(3 t + 5)") {
  const Tensor<double> a{{2, 1}, {1, 3}};
  const Tensor<double> b{{1, 0}, {0, 0}};
  const double d = 3 * 0.7 + 5;
  const std::vector<double> expected{std::log(d), 3 / d, -0.17853600476096013, 54 / (d * d * d)};
  check_derivatives([&](const Var<double>& t) { return log_det(line(t, a, b)); }, 0.7, expected);
  check_derivatives([&](const Var<double>& t) { return slogdet(-line(t, a, b)).log_abs; }, 0.7,
                    expected);
  std::vector<double> twice = expected;
  for (double& x : twice) x *= 2;
  check_derivatives(
      [&](const Var<double>& t) {
        return sum(log_det(line(t, batch_of({a, a}), batch_of({b, b}))));
      },
      0.7, twice);
}

TEST_CASE("conformance: the inverse of a product of triangles has its derivatives by every route") {
  // |L^-1 (1, 1)|^2 = 1/u^2 + (1 - 1/u)^2 / 4 with u = t + 1; the others as published.
  const double u = 1.7;
  const std::vector<double> derivatives{1 / (u * u) + (1 - 1 / u) * (1 - 1 / u) / 4,
                                        -0.3358436800325667, 0.6944361298356102};
  const auto l = [](const Var<double>& t) {
    return line(t, Tensor<double>{{1, 0}, {1, 2}}, Tensor<double>{{1, 0}, {0, 0}});
  };
  const auto ones = [](const Var<double>& t) {
    return t.tape().input(Tensor<double>::identity(2));
  };
  check_derivatives(
      [&](const Var<double>& t) {
        const Var<double> x = l(t);
        return sum(inverse(matmul(x, swap_axes(x, 0, 1))));
      },
      0.7, derivatives);
  check_derivatives([&](const Var<double>& t) { return sum(cholesky_solve(l(t), ones(t))); }, 0.7,
                    derivatives);
  check_derivatives(
      [&](const Var<double>& t) {
        const Var<double> x = l(t);
        const Var<double> again = cholesky(matmul(x, swap_axes(x, 0, 1)));
        return sum(square(triangular_solve(again, t.tape().input(Tensor<double>{1, 1}))));
      },
      0.7, derivatives);
}

TEST_CASE("conformance: X A = B has the second derivative that another framework halves") {
  const auto weighted = [](const Var<double>& x) {
    return sum(x * x.tape().input(Tensor<double>{{1, 2}, {-1, 3}}));
  };
  const auto a = [](const Var<double>& t) {
    return line(t, Tensor<double>{{2, 1}, {0, 3}}, Tensor<double>{{1, 0}, {0, 1}});
  };
  const auto b = [](const Var<double>& t) {
    return line(t, Tensor<double>{{0, 1}, {1, 3}}, Tensor<double>{{1, 2}, {1, -1}});
  };
  const std::vector<double> expected{3.4, -2.0266666666666668, 3.0435555555555553};
  check_derivatives([&](const Var<double>& t) { return weighted(solve(a(t), b(t), Side::right)); },
                    -0.5, expected);
  check_derivatives(
      [&](const Var<double>& t) {
        return weighted(triangular_solve(a(t), b(t), {.lower = false, .side = Side::right}));
      },
      -0.5, expected);
  check_derivatives([&](const Var<double>& t) { return weighted(matmul(b(t), inverse(a(t)))); },
                    -0.5, expected);
  check_derivatives(
      [&](const Var<double>& t) {
        const Var<double> known = lu_factor(swap_axes(a(t), 0, 1));
        return weighted(swap_axes(solve(known, swap_axes(b(t), 0, 1)), 0, 1));
      },
      -0.5, expected);
}

TEST_CASE("conformance: the gradient of the sum of an inverse") {
  const Tensor<double> gradient{{-0.16, -0.08}, {-0.08, -0.04}};
  CHECK(wrong_route([](const Var<double>& x) { return sum(inverse(x)); },
                    Tensor<double>{{2, 1}, {1, 3}}, 1, gradient, 1e-14) == "");
}

TEST_CASE("conformance: inverses and solves of a batch have their third derivatives") {
  // sum of (A + t)^-1 = sum_k w_k / (value_k + t), w_k the squared sums of the eigenvectors.
  const std::vector<double> values{1, 2, 4, 5};
  const Tensor<double> a = batch_of({symmetric_with(values), symmetric_with(values)});
  std::vector<double> expected(4, 0);
  for (std::size_t k = 0; k < 4; ++k) {
    const double sum_of_vector = 1 - 2 * 10.0 * static_cast<double>(k + 1) / 30;
    const double weight = 2 * sum_of_vector * sum_of_vector;
    double power = weight / (values[k] + 0.5);
    for (std::size_t order = 0; order < 4; ++order) {
      expected[order] += power;
      power *= -static_cast<double>(order + 1) / (values[k] + 0.5);
    }
  }
  const Tensor<double> one = Tensor<double>::identity(4);
  check_derivatives([&](const Var<double>& t) { return sum(inverse(line(t, a, one))); }, 0.5,
                    expected);
  const auto ones = [](const Var<double>& t) { return t.tape().input(Tensor<double>{1, 1, 1, 1}); };
  check_derivatives([&](const Var<double>& t) { return sum(solve(line(t, a, one), ones(t))); }, 0.5,
                    expected);
  check_derivatives(
      [&](const Var<double>& t) { return sum(cholesky_solve(cholesky(line(t, a, one)), ones(t))); },
      0.5, expected);
}

TEST_CASE("conformance: Cholesky reads the lower triangle, and is a function of it alone") {
  // sum log diag L = log det A / 2, of which the derivative in a mirrored pair of entries is that
  // entry of the inverse, and in a diagonal entry half of it.
  const Function<double> f = [](const Var<double>& a) {
    const Var<double> l = cholesky(a);
    const auto entry = [&](Index i) { return slice(slice(l, 0, i, i + 1), 1, i, i + 1); };
    return sum(log(entry(0)) + log(entry(1)));
  };
  const Tensor<double> a{{4, 99},
                         {2, 10}};  // the inverse of [[4, 2], [2, 10]]: [[10, -2], [-2, 4]] / 36
  CHECK(wrong_route(f, a, 1, Tensor<double>{{5.0 / 36, 0}, {-2.0 / 36, 2.0 / 36}}, 1e-14) == "");
  // With D = a11 a22 - a21^2 = 36 and f = log(D) / 2, by hand; nothing of a12 in any route.
  const double d = 36;
  const Tensor<double> hessian{
      {-100 / (2 * d * d), 0, 20 / (d * d), 1 / (2 * d) - 40 / (2 * d * d)},
      {0, 0, 0, 0},
      {20 / (d * d), 0, -1 / d - 8 / (d * d), 8 / (d * d)},
      {1 / (2 * d) - 40 / (2 * d * d), 0, 8 / (d * d), -16 / (2 * d * d)}};
  CHECK(wrong_route(f, a, 2, hessian, 1e-13) == "");
}

TEST_CASE("conformance: products of batches have their third derivatives") {
  // tr (A + t)^3 of a batch, by three ways of writing it.
  const Tensor<double> a = batch_of({symmetric_with({1, -2, 0.5}), symmetric_with({3, 1, 2})});
  std::vector<double> expected(4, 0);
  for (const double x : {1.0, -2.0, 0.5, 3.0, 1.0, 2.0}) {
    const double y = x + 0.3;
    expected[0] += y * y * y;
    expected[1] += 3 * y * y;
    expected[2] += 6 * y;
    expected[3] += 6;
  }
  const Tensor<double> one = Tensor<double>::identity(3);
  check_derivatives(
      [&](const Var<double>& t) {
        const Var<double> x = line(t, a, one);
        return sum(trace(matmul(x, matmul(x, x))));
      },
      0.3, expected);
  check_derivatives(
      [&](const Var<double>& t) {
        const Var<double> x = line(t, a, one);
        return sum(einsum("nij,nji->n", einsum("nij,nkj->nik", x, swap_axes(x, 1, 2)), x));
      },
      0.3, expected);
}

TEST_CASE("conformance: exponentials and powers have their third derivatives") {
  // sum of f(t A) = sum_k w_k f(t value_k), w_k the squared sums of the eigenvectors.
  const std::vector<double> values{1, -2, 4, 0.5};
  const Tensor<double> a = symmetric_with(values);
  const double t0 = 1.5;
  std::vector<double> exponential(4, 0);
  std::vector<double> cube(4, 0);
  for (std::size_t k = 0; k < 4; ++k) {
    const double sum_of_vector = 1 - 2 * 10.0 * static_cast<double>(k + 1) / 30;
    const double weight = sum_of_vector * sum_of_vector;
    double power = 1;
    for (std::size_t order = 0; order < 4; ++order) {
      exponential[order] += weight * power * std::exp(t0 * values[k]);
      power *= values[k];
    }
    const double y = weight * values[k] * values[k] * values[k];
    for (std::size_t order = 0; order < 4; ++order) {
      cube[order] += y * std::array{t0 * t0 * t0, 3 * t0 * t0, 6 * t0, 6.0}[order];
    }
  }
  const auto at = [&](const Var<double>& t) { return t * t.tape().input(a); };
  check_derivatives([&](const Var<double>& t) { return sum(matrix_exp(at(t))); }, t0, exponential);
  check_derivatives([&](const Var<double>& t) { return sum(matrix_power(at(t), 3)); }, t0, cube);
}

TEST_CASE("conformance: spectra and QR factors have the third derivatives of what they preserve") {
  // The sum of squared entries of A + t B is that of its eigenvalues, of its singular values and
  // of R; and U diag(s) V^T = V diag(w) V^T = A + t B itself.
  const Tensor<double> a = symmetric_with({1, 2, 4, 7});
  const Tensor<double> b{
      {0.3, 0.1, -0.2, 0.4}, {0.1, 0.5, 0.2, 0}, {-0.2, 0.2, 0.1, 0.3}, {0.4, 0, 0.3, -0.6}};
  const Tensor<double> weights = sample({4, 4}, 61);
  double aa = 0;
  double ab = 0;
  double bb = 0;
  double wa = 0;
  double wb = 0;
  for (std::size_t k = 0; k < 16; ++k) {
    aa += a.storage()[k] * a.storage()[k];
    ab += a.storage()[k] * b.storage()[k];
    bb += b.storage()[k] * b.storage()[k];
    wa += weights.storage()[k] * a.storage()[k];
    wb += weights.storage()[k] * b.storage()[k];
  }
  const double t0 = 0.3;
  const std::vector<double> squares{aa + 2 * t0 * ab + t0 * t0 * bb, 2 * ab + 2 * t0 * bb, 2 * bb,
                                    0};
  const auto at = [&](const Var<double>& t) { return line(t, a, b); };
  check_derivatives([&](const Var<double>& t) { return sum(square(eigh(at(t)).values)); }, t0,
                    squares);
  check_derivatives([&](const Var<double>& t) { return sum(square(svd(at(t)).s)); }, t0, squares);
  check_derivatives([&](const Var<double>& t) { return sum(square(qr(at(t)).r)); }, t0, squares);
  const std::vector<double> weighted{wa + t0 * wb, wb, 0, 0};
  const auto against_weights = [&](const Var<double>& x) {
    return sum(x * x.tape().input(weights));
  };
  const auto row = [](const Var<double>& x) { return reshape(x, {1, 4}); };
  check_derivatives(
      [&](const Var<double>& t) {
        const auto [values, vectors] = eigh(at(t));
        return against_weights(matmul(vectors * row(values), swap_axes(vectors, 0, 1)));
      },
      t0, weighted);
  check_derivatives(
      [&](const Var<double>& t) {
        const auto [u, s, vh] = svd(at(t));
        return against_weights(matmul(u * row(s), vh));
      },
      t0, weighted);
  check_derivatives(
      [&](const Var<double>& t) {
        const auto [q, r] = qr(at(t));
        return against_weights(matmul(q, r));
      },
      t0, weighted);
}

TEST_CASE("conformance: singular vectors have their derivatives at any size of the matrix") {
  // U diag(s) V^T is the matrix itself; squares of its singular values leave the range.
  const Tensor<double> weights{{1, 2}, {3, 4}};
  const Function<double> f = [&](const Var<double>& x) {
    const auto [u, s, vh] = svd(x);
    return sum(matmul(u * reshape(s, {1, 2}), vh) * x.tape().input(weights));
  };
  for (const double size : {1e200, 1e-200}) {
    CAPTURE(size);
    CHECK(wrong_route(f, Tensor<double>{{size, 0}, {0, 2 * size}}, 1, weights, 1e-13) == "");
  }
}
