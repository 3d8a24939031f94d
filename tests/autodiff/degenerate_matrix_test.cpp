// Derivatives at matrices where a divisor is 0 except for rounding errors, and of products that
// leave the range of numbers in between.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/determinant.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/least_squares.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/matrix_function.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/spectral.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/tests/support/battery.hpp"
#include "fjord/tests/support/derivative_routes.hpp"
#include "fjord/tests/support/matrices.hpp"

using namespace fjord;
using namespace fjord::test;

TEST_CASE("degenerate: what goes through vectors of equal eigenvalues is NaN by every route") {
  const auto root = [](const Number& x) {
    const auto [values, vectors] = eigh(x);
    return weighted(matmul(vectors * sqrt(reshape(values, {1, 3})), swap_axes(vectors, 0, 1)));
  };
  const auto middle = [](const Number& x) { return sum(slice(eigh(x).vectors, -1, 1, 2)); };
  std::vector<Tensor<double>> points{turned({1, 1, 2}), turned({1, 1, 1}),
                                     Tensor<double>::identity(3), Tensor<double>::zeros({3, 3})};
  // Equal except for rounding errors, differently in each.
  for (int k = 1; k <= 12; ++k) {
    const Tensor<double> q = reflection(3, 0.3 * k);
    Tensor<double> scaled = q;
    for (Index i = 0; i < 3; ++i) scaled(i, k % 3) *= k % 2 == 0 ? 7.7 : 0.013;
    points.push_back(multiply_by_loops(scaled, q));
  }
  for (const Curve& f : {Curve(root), Curve(middle)}) {
    for (const Tensor<double>& a : points) {
      const Routes found = routes(f, a, direction());
      for (const Tensor<double>& g : found.gradients) CHECK(is_nowhere_finite_below(g));
      for (const Tensor<double>& h : found.products) CHECK(is_nowhere_finite_below(h));
    }
  }
}

TEST_CASE("degenerate: symmetric functions of equal eigenvalues and simple vectors are right") {
  const Tensor<double> a = turned({1, 1, 2});
  Tape<double> tape;
  const Number x = tape.input(a);
  // Their sum of squares is that of all entries.
  const auto squares = [](const Number& y) { return sum(square(eigh(y).values)); };
  Tensor<double> twice = a;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) twice(i, j) *= i == j ? 2 : i > j ? 4 : 0;
  }
  const Tensor<double> slope(gradient(squares, x).value());
  for (Index i = 0; i < 9; ++i) {
    CHECK(slope.data()[i] == doctest::Approx(twice.data()[i]).epsilon(1e-14));
  }
  CHECK(jvp(squares, x, tape.input(direction())).item() ==
        doctest::Approx(2 * (a(0, 0) - a(1, 1) + 3 * a(2, 2) + 4 * a(1, 0) + 2 * a(2, 1)))
            .epsilon(1e-14));
  // The vector u of the eigenvalue 2: 2 - x = (2 - A)^+ has u u^T = A - 1 as derivative's kernel.
  const auto projection = [](const Number& y) {
    const Number u = slice(eigh(y).vectors, -1, 2, 3);
    return weighted(matmul(u, swap_axes(u, 0, 1)));
  };
  // d(u u^T) = P S u u^T + u u^T S P with P = 1 - u u^T, as the other eigenvalues are 1 below.
  const Tensor<double> uu = turned({0, 0, 1});
  const Tensor<double> half =
      multiply_by_loops(multiply_by_loops(turned({1, 1, 0}), direction()), uu);
  double right = 0;
  const Tensor<double> w{{1, 0, 2}, {0, 3, 1}, {1, 1, -1}};
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) right += w(i, j) * (half(i, j) + half(j, i));
  }
  const Number s = tape.input(direction());
  CHECK(jvp(projection, x, s).item() == doctest::Approx(right).epsilon(1e-13));
  const Tensor<double> g(gradient(projection, x).value());
  double along = 0;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) along += g(i, j) * direction()(i, j);
  }
  CHECK(along == doctest::Approx(right).epsilon(1e-13));
}

TEST_CASE("degenerate: vectors of singular values that are equal, or 0, are NaN by every route") {
  const Tensor<double> q = reflection(3);
  const Tensor<double> tall =
      multiply_by_loops(reflection(4), Tensor<double>{{2, 0}, {0, 0}, {0, 0}, {0, 0}});
  const auto generic = [](const Number& y) {
    return sum(y * y.tape().input(sample(y.shape(), 2)));
  };
  const auto u = [&](const Number& x) { return generic(svd(x).u); };
  const auto vh = [&](const Number& x) { return generic(svd(x).vh); };
  for (const Tensor<double>& a : {q, turned({1, -1, 2}), turned({0, 0, 2})}) {
    for (const Curve& f : {Curve(u), Curve(vh)}) {
      const Routes found = routes(f, a, direction());
      for (const Tensor<double>& g : found.gradients) CHECK(is_nowhere_finite(g));
      for (const Tensor<double>& h : found.products) CHECK(is_nowhere_finite(h));
    }
  }
  for (const Tensor<double>& g : routes(u, tall, sample({4, 2}, 3)).gradients) {
    CHECK(is_nowhere_finite(g));
  }
  for (const Tensor<double>& g :
       routes(vh, transpose_by_loops(tall), sample({2, 4}, 3)).gradients) {
    CHECK(is_nowhere_finite(g));
  }
  // A tangent and entries that are exactly 0 silence nothing.
  const Tensor<double> along{{0, 0, 1}, {0, 0, 0}, {1, 0, 0}};
  const Curve moved = [&](const Number& x) {
    return generic(jvp([](const Number& y) { return svd(y).u; }, x, x.tape().input(along)));
  };
  Tape<double> tape;
  const Number equal = tape.input(Tensor<double>{{2, 0, 0}, {0, 2, 0}, {0, 0, 1}});
  CHECK(is_nowhere_finite(Tensor<double>(gradient(moved, equal).value())));
}

TEST_CASE(
    "degenerate: factors of what is singular except for rounding errors are NaN by every route") {
  // The third column is the sum of the others except for rounding errors of products.
  Tensor<double> dependent = sample({4, 3}, 5);
  for (Index i = 0; i < 4; ++i) dependent(i, 2) = 0.1 * dependent(i, 0) + 0.7 * dependent(i, 1);
  const auto q = [](const Number& x) { return sum(qr(x).q); };
  const auto r = [](const Number& x) { return sum(qr(x).r); };
  for (const Curve& f : {Curve(q), Curve(r)}) {
    const Routes found = routes(f, dependent, sample({4, 3}, 6));
    for (const Tensor<double>& g : found.gradients) CHECK(is_nowhere_finite(g));
    for (const Tensor<double>& h : found.products) CHECK(is_nowhere_finite(h));
  }
  // Columns of very different size are independent all the same.
  const Tensor<double> graded{{1e-20, 2}, {0, 1}, {0, 3}};
  for (const Tensor<double>& g : routes(r, graded, sample({3, 2}, 7)).gradients) {
    CHECK(std::isfinite(g(0, 0)));
  }
  // 0.1 + 0.2 exceeds 0.3 by the last bit, so that a Cholesky factor exists.
  const Tensor<double> semidefinite{{0.3, 0.3}, {0.3, 0.1 + 0.2}};
  const auto l = [](const Number& x) { return sum(cholesky(x)); };
  const Routes found = routes(l, semidefinite, Tensor<double>{{1, 0}, {2, 1}});
  for (const Tensor<double>& g : found.gradients) CHECK_FALSE(std::isfinite(g(0, 0)));
  for (const Tensor<double>& h : found.products) CHECK_FALSE(std::isfinite(h(0, 0)));
  Tape<double> tape;
  const Number a = tape.input(semidefinite);
  CHECK_FALSE(std::isfinite(gradient_values<double>(l(a), std::span(&a, 1))[0](0, 0)));
}

TEST_CASE("degenerate: a matrix that a selection leaves out harms no other of its batch") {
  const Tensor<double> singular = multiply_by_loops(sample({3, 2}, 8), sample({2, 3}, 9));
  const Tensor<double> batch = batch_of({positive_definite({3, 3}, 10), turned({1, 1, 1})});
  const Tensor<double> ranks = batch_of({dominant({3, 3}, 11), singular});
  const auto chosen = [](const Number& y) {
    const Tensor<double> mask = Tensor<double>::from({2, 1, 1}, std::vector<double>{1, 0});
    return sum(where(y.tape().input(mask), y, y.tape().scalar(0)));
  };

  struct Case {
    Tensor<double> at;
    Curve f;
  };

  const std::vector<Case> cases{
      {batch, [&](const Number& x) { return chosen(eigh(x).vectors); }},
      {batch, [&](const Number& x) { return chosen(svd(x).u); }},
      {ranks, [&](const Number& x) { return chosen(qr(x).q); }},
      {ranks, [&](const Number& x) { return chosen(pinv(x)); }},
      {ranks, [&](const Number& x) { return chosen(lstsq(x, x)); }},
  };
  for (const Case& c : cases) {
    Tape<double> tape;
    const Tensor<double> g(gradient(c.f, tape.input(c.at)).value());
    for (Index i = 0; i < 3; ++i) {
      for (Index j = 0; j < 3; ++j) {
        CHECK(std::isfinite(g(0, i, j)));
        CHECK(g(1, i, j) == 0);
      }
    }
  }
}

TEST_CASE("degenerate: matrix_exp scales every matrix of a batch by its own norm") {
  Tape<double> tape;
  const Number a = tape.input(Tensor<double>{{{1}}, {{-1e9}}, {{-20}}});
  const Number y = matrix_exp(a);
  CHECK(y.value()(0, 0, 0) == doctest::Approx(std::exp(1.0)).epsilon(3e-16));
  CHECK(y.value()(1, 0, 0) == 0);
  CHECK(y.value()(2, 0, 0) == doctest::Approx(std::exp(-20.0)).epsilon(2e-14));
  const Tensor<double> g(gradient([](const Number& x) { return sum(matrix_exp(x)); }, a).value());
  CHECK(g(0, 0, 0) == doctest::Approx(std::exp(1.0)).epsilon(1e-15));
  CHECK(g(1, 0, 0) == 0);
  CHECK(g(2, 0, 0) == doctest::Approx(std::exp(-20.0)).epsilon(2e-14));
}

TEST_CASE("degenerate: matrix_exp of stiff matrices keeps their digits") {
  // Right values by mpmath 1.3 with 60 digits; scipy 1.11's expm is 4e-12 off at the second.
  struct Case {
    Tensor<double> a;
    Tensor<double> right;
    double tolerance;
  };

  const std::vector<Case> cases{
      {{{-0.5, 0, 0, 0}, {0.5, -375000, 0, 0}, {0, 375000, -3, 0}, {0, 0, 3, 0}},
       {{0.6065306597126334236, 0, 0, 0},
        {8.0870862456167731371e-7, 0, 0, 0},
        {0.1113488003507321403, 0.049787466667597283758, 0.049787068367863942979, 0},
        {0.28211973122800987441, 0.95021253333240271624, 0.95021293163213605702, 1}},
       1e-15},
      {{{-1.753, 200000, 0.3, 0.01},
        {1.5, -375000.5, 100000, 2},
        {0.25, 175000, -375000.3, 0.04},
        {0.003, 0.5, 275000, -2.05}},
       {{0.65862961066577562528, 0.60747226328694071544, 0.54900694830804759126,
         0.52774714464943758454},
        {5.2331443788337644238e-6, 5.3023235369879122841e-6, 5.3813851279164963374e-6,
         5.4101343769487786512e-6},
        {2.9176300687652826663e-6, 2.9212655704101299898e-6, 2.9254204134515074723e-6,
         2.9269312433738966511e-6},
        {0.34136223855977693376, 0.39251951312395207303, 0.45098474488641125973,
         0.47224451828494228125}},
       8e-12}};
  for (const Case& c : cases) {
    Tape<double> tape;
    // Alone, and in company that needs no scaling.
    const Tensor<double> own(matrix_exp(tape.input(c.a)).value());
    const Tensor<double> both(
        matrix_exp(tape.input(batch_of({Tensor<double>::identity(4), c.a}))).value());
    for (Index i = 0; i < 4; ++i) {
      for (Index j = 0; j < 4; ++j) {
        CHECK(std::abs(own(i, j) - c.right(i, j)) < c.tolerance);
        CHECK(std::abs(both(1, i, j) - c.right(i, j)) < c.tolerance);
      }
    }
    // The derivative along A itself is A exp(A).
    const Tensor<double> slope(
        jvp([](const Number& x) { return matrix_exp(x); }, tape.input(c.a), tape.input(c.a))
            .value());
    const Tensor<double> expected = multiply_by_loops(c.right, c.a);
    for (Index j = 0; j < 4; ++j) {
      for (Index i = 0; i < 4; ++i) {
        CHECK(std::abs(slope(i, j) - expected(i, j)) < 1e6 * c.tolerance);
      }
    }
  }
}

TEST_CASE("degenerate: products of determinants do not leave the range in between") {
  std::vector<double> many(160);
  for (std::size_t i = 0; i < 160; ++i) many[i] = i < 80 ? 1e4 : 1e-4;
  for (const std::vector<double>& values : {many,
                                            std::vector<double>{1e200, 1e-200, 1e200, 1e-200},
                                            {1e200, 1e-200, 1e200, 1e-200, 1},
                                            {1e200, 1e200, 1e-200, 1e-200},
                                            {1e200, 1e-100, 1e-100}}) {
    const auto n = static_cast<Index>(values.size());
    CAPTURE(n);
    Tensor<double> a = Tensor<double>::zeros({n, n});
    Tensor<double> inverse = a;
    for (Index i = 0; i < n; ++i) {
      a(i, i) = values[static_cast<std::size_t>(i)];
      inverse(i, i) = 1 / a(i, i);
    }
    const auto f = [](const Number& x) { return det(x); };
    // Along the first entry and the second: H v has a_ii^-1 a_jj^-1 off its own entry.
    Tensor<double> along = Tensor<double>::zeros({n, n});
    along(0, 0) = a(0, 0);
    along(1, 1) = a(1, 1);
    Tensor<double> right = Tensor<double>::zeros({n, n});
    for (Index i = 0; i < n; ++i) right(i, i) = (i < 2 ? 1 : 2) * inverse(i, i);
    Tape<double> tape;
    CHECK(det(tape.input(a)).item() == doctest::Approx(1).epsilon(1e-13));
    const Routes found = routes(f, a, along);
    for (const Tensor<double>& g : found.gradients) CHECK(is_close(g, inverse, 1e-13));
    for (const Tensor<double>& h : found.products) CHECK(is_close(h, right, 1e-12));
  }
}

TEST_CASE("degenerate: products of entries do not leave the range in between") {
  std::vector<double> many(160);
  for (std::size_t i = 0; i < 160; ++i) many[i] = i < 80 ? 1e4 : 1e-4;
  for (const std::vector<double>& values : {many,
                                            std::vector<double>{1e200, 1e200, -1e-200, -1e-200},
                                            {1e-300, 1e-300, 1e300, 1e300},
                                            {1e300, 1e300, 1e-320, 1e-280}}) {
    const auto n = static_cast<Index>(values.size());
    const Tensor<double> x = Tensor<double>::from({n}, values);
    Tensor<double> inverse = x;
    for (double& entry : inverse.storage()) entry = 1 / entry;
    // Along the first two factors: H v has 1 / (x_i x_j) off its own entry.
    Tensor<double> along = Tensor<double>::zeros({n});
    along(0) = x(0);
    along(1) = x(1);
    Tensor<double> right = inverse;
    for (Index i = 2; i < n; ++i) right(i) *= 2;
    for (const Curve& f :
         {Curve([](const Number& y) { return prod(y); }),
          Curve([](const Number& y) { return sum(prod(y, {0})); }), Curve([](const Number& y) {
            return prod(concatenate({y, y.tape().input(Tensor<double>{0.5, 2})}, 0));
          })}) {
      Tape<double> tape;
      // The denormal number has four digits.
      CHECK(f(tape.input(x)).item() == doctest::Approx(1).epsilon(1e-3));
      if (values.back() == 1e-280) continue;
      const Routes found = routes(f, x, along);
      for (const Tensor<double>& g : found.gradients) CHECK(is_close(g, inverse, 1e-12));
      for (const Tensor<double>& h : found.products) CHECK(is_close(h, right, 1e-12));
    }
  }
}

TEST_CASE("degenerate: determinants of rows and columns of very different size") {
  // det(D M E) = det D det M det E; the gradient of the left side in M is that.
  const Tensor<double> m = dominant({5, 5}, 12);
  const std::vector<double> rows{1e150, 1e-120, 1, 1e30, 1e-60};
  const std::vector<double> columns{1e-100, 1e90, 1e20, 1, 1e-10};
  Tensor<double> a = m;
  for (Index i = 0; i < 5; ++i) {
    for (Index j = 0; j < 5; ++j) {
      a(i, j) *= rows[static_cast<std::size_t>(i)] * columns[static_cast<std::size_t>(j)];
    }
  }
  Tape<double> tape;
  const double right = det_by_minors(m)();
  CHECK(det(tape.input(a)).item() == doctest::Approx(right).epsilon(1e-13));
}

TEST_CASE("degenerate: least squares without full rank has the shortest solution") {
  // By numpy 1.26's lstsq and pinv: closed forms of rank 1, A = s u v^T.
  Tape<double> tape;
  const Number a = tape.input(Tensor<double>{{1, 2}, {2, 4}, {2, 4}});
  const Tensor<double> x(lstsq(a, tape.input(Tensor<double>{9, 0, 0})).value());
  CHECK(x(0) == doctest::Approx(0.2).epsilon(1e-14));
  CHECK(x(1) == doctest::Approx(0.4).epsilon(1e-14));
  // A^+ = A^T / |A|^2.
  const Tensor<double> inverse(pinv(a).value());
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 2; ++j) {
      CHECK(inverse(j, i) == doctest::Approx(a.value()(i, j) / 45).epsilon(1e-14));
    }
  }
  for (const Curve& f : {Curve([](const Number& y) { return sum(pinv(y)); }),
                         Curve([](const Number& y) { return sum(pinv(swap_axes(y, 0, 1))); })}) {
    const Routes found = routes(f, Tensor<double>(a.value()), sample({3, 2}, 13));
    for (const Tensor<double>& g : found.gradients) CHECK(is_nowhere_finite(g));
    for (const Tensor<double>& h : found.products) CHECK(is_nowhere_finite(h));
  }
}
