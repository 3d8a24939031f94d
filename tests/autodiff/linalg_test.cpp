#include <doctest/doctest.h>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/solve.hpp"
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
