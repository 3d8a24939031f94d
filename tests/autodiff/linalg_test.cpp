#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/determinant.hpp"
#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/matrix_function.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/autodiff/ops/spectral.hpp"
#include "fjord/tests/support/battery.hpp"
#include "fjord/tests/support/matrices.hpp"

using namespace fjord;
using namespace fjord::test;

namespace {

// The largest entry of |a - b|.
double distance(const Tensor<double>& a, const Tensor<double>& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0;
  for (std::size_t k = 0; k < a.storage().size(); ++k) {
    worst = std::max(worst, std::abs(a.storage()[k] - b.storage()[k]));
  }
  return worst;
}

}  // namespace

TEST_CASE("einsum: subscripts of another form are refused") {
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>{{1, 2}, {3, 4}});
  for (const char* subscripts : {"", "ij,jk", "ij->ij", "ij,jj->i", "ij,jk->il", "ij,jk->ii",
                                 "...j,jk->k", "ij,jk,kl->il", "i,jk->ik", "ij,jk->i-k"}) {
    CAPTURE(subscripts);
    CHECK_THROWS_WITH_AS(einsum(subscripts, x, x), doctest::Contains("[einsum]"),
                         std::invalid_argument);
  }
  CHECK(einsum(" ij, jk -> ik ", x, x).value()(1, 0) == 15);
}

TEST_CASE("solve: a singular matrix is a numerical failure that names the matrix") {
  Tape<double> tape;
  const Var<double> bad =
      tape.input(Tensor<double>{{{1, 0}, {0, 1}}, {{1, 2}, {2, 4}}, {{1, 0}, {0, 1}}});
  const Var<double> b = tape.input(Tensor<double>{1, 1});
  CHECK_THROWS_WITH_AS(inverse(bad), "[inverse] matrix 1 of 3 is singular", NumericalError);
  CHECK_THROWS_WITH_AS(solve(bad, b), "[solve] matrix 1 of 3 is singular", NumericalError);
  CHECK_THROWS_WITH_AS(solve(bad, b, Side::right), "[solve] matrix 1 of 3 is singular",
                       NumericalError);
  CHECK_THROWS_WITH_AS(lu_factor(bad), "[lu_factor] matrix 1 of 3 is singular", NumericalError);
  const Var<double> triangle = tape.input(Tensor<double>{{1, 2}, {3, 0}});
  CHECK_THROWS_WITH_AS(triangular_solve(triangle, b), "[triangular_solve] the matrix is singular",
                       NumericalError);
  CHECK_THROWS_WITH_AS(cholesky_solve(triangle, b), "[cholesky_solve] the matrix is singular",
                       NumericalError);
  CHECK(triangular_solve(triangle, b, {.unit_diagonal = true}).value()(1) == -2);
}

TEST_CASE("solve: one matrix is not repeated for each of a batch of right-hand sides") {
  Tape<double> tape;
  const Tensor<double> a = dominant({20, 20}, 1);
  const Tensor<double> x = sample({50, 20, 1}, 2);
  Tensor<double> b = Tensor<double>::zeros({50, 20, 1});
  for (Index k = 0; k < 50; ++k) {
    for (Index i = 0; i < 20; ++i) {
      for (Index j = 0; j < 20; ++j) b(k, i, 0) += a(i, j) * x(k, j, 0);
    }
  }
  const Var<double> found = solve(tape.input(a), tape.input(b));
  CHECK(distance(Tensor<double>(found.value()), x) < 1e-13);
  for (std::uint32_t i = 0; i < tape.size(); ++i) CHECK(tape.node(i).shape.size <= x.size());
}

TEST_CASE("factor: a matrix that is not positive definite has no Cholesky factor") {
  Tape<double> tape;
  CHECK_THROWS_WITH_AS(cholesky(tape.input(Tensor<double>{{1, 0}, {2, 4}})),
                       "[cholesky] the matrix is not positive definite", NumericalError);
  CHECK_THROWS_WITH_AS(cholesky(tape.input(Tensor<double>{{{1, 0}, {0, 1}}, {{1, 0}, {0, -1}}})),
                       "[cholesky] matrix 1 of 2 is not positive definite", NumericalError);
}

TEST_CASE("factor: Cholesky factors, inverses and solutions of larger matrices multiply back") {
  for (const Shape& shape : {Shape{30, 30}, Shape{5, 30, 30}, Shape{2, 100, 100}}) {
    CAPTURE(to_string(shape));
    const Tensor<double> a = positive_definite(shape, 41);
    Tape<double> tape;
    const Var<double> x = tape.input(a);
    const Tensor<double> l(cholesky(x).value());
    CHECK(distance(multiply_by_loops(l, transpose_by_loops(l)), a) < 1e-11);
    const Tensor<double> product = multiply_by_loops(a, Tensor<double>(inverse(x).value()));
    const Tensor<double> ones = masked(
        Tensor<double>::zeros(shape), [](Index i, Index j) { return i != j; }, 1);
    CHECK(distance(product, ones) < 1e-12);
    const Tensor<double> b = sample(shape, 42);
    const Tensor<double> y(solve(x, tape.input(b)).value());
    CHECK(distance(multiply_by_loops(a, y), b) < 1e-12);
    const Tensor<double> z(cholesky_solve(cholesky(x), tape.input(b)).value());
    CHECK(distance(z, y) < 1e-12);
  }
}

TEST_CASE("spectral: factors of larger matrices multiply back and are orthonormal") {
  for (const Shape& shape : {Shape{30, 30}, Shape{3, 40, 25}, Shape{3, 25, 40}}) {
    CAPTURE(to_string(shape));
    const Tensor<double> a = sample(shape, 43);
    Tape<double> tape;
    const Var<double> x = tape.input(a);
    const Index k = std::min(shape[shape.rank() - 2], shape[shape.rank() - 1]);
    const auto times_rows = [&](const Tensor<double>& s, Tensor<double> rows) {
      const auto run = static_cast<std::size_t>(s.size());
      for (std::size_t i = 0; i < rows.storage().size(); ++i)
        rows.storage()[i] *= s.storage()[i % run];
      return rows;
    };
    const auto is_orthonormal = [&](const Tensor<double>& u) {
      const Tensor<double> product = multiply_by_loops(transpose_by_loops(u), u);
      const Tensor<double> one = masked(
          Tensor<double>::zeros(product.shape()), [](Index i, Index j) { return i != j; }, 1);
      return product.shape()[product.shape().rank() - 1] == k && distance(product, one) < 1e-13;
    };
    const auto [u, s, vh] = svd(x);
    const Tensor<double> left(u.value());
    const Tensor<double> right(vh.value());
    CHECK(is_orthonormal(left));
    CHECK(is_orthonormal(transpose_by_loops(right)));
    CHECK(distance(multiply_by_loops(left, times_rows(Tensor<double>(s.value()), right)), a) <
          1e-13);
    const auto [q, r] = qr(x);
    CHECK(is_orthonormal(Tensor<double>(q.value())));
    CHECK(distance(multiply_by_loops(Tensor<double>(q.value()), Tensor<double>(r.value())), a) <
          1e-13);
  }
  std::vector<double> values(30);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25 * static_cast<double>(i) - 3;
  Tape<double> tape;
  const Var<double> found = eigh(tape.input(symmetric_with(values))).values;
  CHECK(distance(Tensor<double>(found.value()), Tensor<double>::from({30}, values)) < 1e-13);
}

TEST_CASE("determinant: of larger matrices, regular and singular ones together") {
  std::vector<double> regular(30);
  std::vector<double> singular(30);
  double expected = 1;
  for (std::size_t i = 0; i < 30; ++i) {
    regular[i] = 1 + 0.01 * static_cast<double>(i);
    expected *= regular[i];
    singular[i] = i < 2 ? 0 : regular[i];
  }
  Tape<double> tape;
  const Var<double> a = tape.input(batch_of({symmetric_with(regular), symmetric_with(singular)}));
  const Tensor<double> found(det(a).value());
  CHECK(found(0) == doctest::Approx(expected).epsilon(1e-13));
  CHECK(std::abs(found(1)) < 1e-28);
  const auto [sign, log_abs] = slogdet(a);
  CHECK(log_abs.value()(0) == doctest::Approx(std::log(expected)).epsilon(1e-13));
  // Beyond the largest number, where only the logarithm is left.
  const auto huge = slogdet(tape.input(Tensor<double>::identity(400)) * -1e3);
  CHECK(huge.log_abs.item() == doctest::Approx(400 * std::log(1e3)).epsilon(1e-13));
  CHECK(huge.sign.item() == 1);
}

TEST_CASE("determinant: large matrices without small singular values need their LU factors alone") {
  // By sums of columns their condition number is above 1e4, by singular values below.
  for (const std::uint64_t key : {0U, 2U, 3U}) {
    Tape<double> tape;
    const Var<double> a = tape.input(sample({200, 200}, key));
    const Var<double> d = det(a);
    CHECK(std::isfinite(d.item()));
    CHECK(tape.size() == 3);  // matrix, factors, determinant: no rotation
  }
}

TEST_CASE("linear algebra: a gradient does not throw where the value did not") {
  // Each value exists and its gradient does not: it is infinite or NaN, and says so.
  const std::function<Var<double>(const Var<double>&)> first_of_each[] = {
      [](const Var<double>& a) { return slogdet(a).log_abs; },
      [](const Var<double>& a) { return sum(qr(a).q); },
      [](const Var<double>& a) { return sum(svd(a).u); },
      [](const Var<double>& a) { return sum(eigh(a).vectors); },
  };
  const Tensor<double> points[] = {
      {{1, 2}, {2, 4}}, {{1, 2}, {0, 0}}, {{1, 0}, {0, 1}}, {{1, 0}, {0, 1}}};
  for (std::size_t k = 0; k < 4; ++k) {
    CAPTURE(k);
    Tape<double> tape;
    const Var<double> a = tape.input(points[k]);
    const Var<double> y = first_of_each[k](a);
    const Tensor<double> g(gradient_values<double>(y, std::span(&a, 1))[0]);
    CHECK_FALSE(std::isfinite(g(0, 0) + g(1, 0) + g(1, 1)));
    CHECK_NOTHROW(pushforward(a, tape.input(Tensor<double>{{1, 2}, {3, 4}}), y));
  }
}

TEST_CASE("linear algebra: NaN in one matrix of a batch stays in it") {
  Tensor<double> batch = positive_definite({3, 4, 4}, 44);
  batch(1, 2, 1) = std::numeric_limits<double>::quiet_NaN();
  Tape<double> tape;
  const Var<double> a = tape.input(batch);
  const auto sums = [](const Var<double>& x) { return sum(x, {1, 2}); };
  for (const Var<double>& y :
       {sums(inverse(a)), sums(cholesky(a)), sums(qr(a).q), sums(eigh(a).vectors), sums(svd(a).u),
        sums(matrix_power(a, -2)), det(a), log_det(a)}) {
    const Tensor<double> value(y.value());
    CHECK(std::isfinite(value(0)));
    CHECK(std::isnan(value(1)));
    CHECK(std::isfinite(value(2)));
  }
}
