#include "fjord/autodiff/eigen.hpp"

#include <Eigen/Dense>

#include <doctest/doctest.h>

namespace fjord {
namespace {

using doctest::Approx;
using Number = Scalar<double>;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Matrix = Eigen::Matrix<Number, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Number, Eigen::Dynamic, 1>;

static_assert(Structure<Matrix> && Structure<Vector> && Structure<std::pair<Matrix, Vector>>);
static_assert(Structure<Eigen::Matrix<Number, 3, 3>> && !Structure<MatrixXd>);

Matrix on(Tape<double>& tape, const MatrixXd& numbers) {
  return numbers.unaryExpr([&](double x) { return Number(tape.scalar(x)); });
}

MatrixXd values(const Matrix& m) {
  return m.unaryExpr([](const Number& x) { return x.value(); });
}

void check_near(const MatrixXd& found, const MatrixXd& expected) {
  REQUIRE(found.rows() == expected.rows());
  REQUIRE(found.cols() == expected.cols());
  CHECK((found - expected).norm() <= 1e-12 * (1 + expected.norm()));
}

MatrixXd any_matrix(Eigen::Index n) {
  return MatrixXd::NullaryExpr(n, n, [](Eigen::Index i, Eigen::Index j) {
    return std::sin(1.0 + 3.0 * double(i) + 1.7 * double(j)) + (i == j ? 2.0 : 0.0);
  });
}

MatrixXd any_spd(Eigen::Index n) {
  const MatrixXd a = any_matrix(n);
  return a * a.transpose() + MatrixXd::Identity(n, n);
}

VectorXd any_vector(Eigen::Index n) {
  return VectorXd::NullaryExpr(n, [](Eigen::Index i) { return std::cos(2.0 + double(i)); });
}

TEST_CASE("eigen: the gradient of log det by LLT and LDLT is the inverse") {
  Tape<double> tape;
  const MatrixXd a = any_spd(6);
  const auto by_llt = [](const Matrix& m) -> Number {
    const Eigen::LLT<Matrix> factor(m.selfadjointView<Eigen::Lower>());
    const Matrix l = factor.matrixL();
    return 2 * l.diagonal().array().log().sum();
  };
  const auto by_ldlt = [](const Matrix& m) -> Number {
    return Eigen::LDLT<Matrix>(m).vectorD().array().log().sum();
  };
  // The lower triangle counts for both; the inverse is symmetric.
  MatrixXd expected = 2 * a.inverse();
  expected.diagonal() /= 2;
  expected.triangularView<Eigen::StrictlyUpper>().setZero();
  CHECK(by_llt(on(tape, a)).value() == Approx(std::log(a.determinant())));
  check_near(values(gradient(by_llt, on(tape, a))), expected);
  check_near(values(gradient(by_ldlt, on(tape, a))), expected);
}

TEST_CASE("eigen: solutions by LU, QR and Cholesky have the adjoint's gradients") {
  Tape<double> tape;
  const VectorXd b = any_vector(5), w = any_vector(5).reverse();
  const auto check = [&](const MatrixXd& a, auto solve) {
    const auto f = [&](const std::pair<Matrix, Vector>& p) -> Number {
      return w.cast<Number>().dot(Vector(solve(p.first, p.second)));
    };
    const auto slopes = gradient(f, std::pair<Matrix, Vector>(on(tape, a), on(tape, b)));
    const VectorXd adjoint = a.transpose().partialPivLu().solve(w);
    const VectorXd x = a.partialPivLu().solve(b);
    check_near(values(slopes.second), adjoint);
    return std::pair<MatrixXd, MatrixXd>(values(slopes.first), -adjoint * x.transpose());
  };
  const MatrixXd a = any_matrix(5);
  const auto lu = check(
      a, [](const Matrix& m, const Vector& v) -> Vector { return m.partialPivLu().solve(v); });
  check_near(lu.first, lu.second);
  const auto qr = check(
      a, [](const Matrix& m, const Vector& v) -> Vector { return m.householderQr().solve(v); });
  check_near(qr.first, qr.second);
  const auto llt = check(
      any_spd(5), [](const Matrix& m, const Vector& v) -> Vector { return m.llt().solve(v); });
  MatrixXd folded = llt.second + llt.second.transpose();
  folded.diagonal() /= 2;
  folded.triangularView<Eigen::StrictlyUpper>().setZero();
  check_near(llt.first, folded);
}

TEST_CASE("eigen: eigenvalues have the squares of their vectors as gradients") {
  Tape<double> tape;
  const MatrixXd a = any_spd(4);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> known(a);
  for (Eigen::Index k = 0; k < 4; ++k) {
    const auto value = [k](const Matrix& m) -> Number {
      return Eigen::SelfAdjointEigenSolver<Matrix>(m).eigenvalues()(k);
    };
    const VectorXd v = known.eigenvectors().col(k);
    MatrixXd expected = 2 * v * v.transpose();
    expected.diagonal() /= 2;
    expected.triangularView<Eigen::StrictlyUpper>().setZero();
    CHECK(value(on(tape, a)).value() == Approx(known.eigenvalues()(k)));
    const MatrixXd found = values(gradient(value, on(tape, a)));
    CHECK((found - expected).norm() < 1e-9);  // the iteration ends where the values do
  }
}

TEST_CASE("eigen: norms, products and inverses, mixed with matrices of numbers") {
  Tape<double> tape;
  const MatrixXd a = any_matrix(3);
  const VectorXd x = any_vector(3);
  const auto norm = [&](const Vector& v) -> Number { return (a * v).norm(); };
  check_near(values(gradient(norm, Vector(on(tape, x)))), a.transpose() * (a * x) / (a * x).norm());
  const auto trace = [](const Matrix& m) -> Number { return m.inverse().trace(); };
  const MatrixXd inverse = a.inverse();
  check_near(values(gradient(trace, on(tape, a))), -(inverse * inverse).transpose());
  const auto squared = [&](const Vector& v) -> Number {
    return 2.0 * v.squaredNorm() + (v * 3 - x / 2).cwiseAbs().maxCoeff() + v.array().exp().sum();
  };
  CHECK(isfinite(squared(Vector(on(tape, x)))));
}

TEST_CASE("eigen: Hessian products through a factorization") {
  Tape<double> tape;
  const VectorXd b = any_vector(4);
  const Eigen::Matrix4d a = any_spd(4), d = any_matrix(4);
  // f(t) = b . (A + t D)^-1 b at 0.
  using Fixed = Eigen::Matrix<Number, 4, 4>;
  const auto f = [&](const Number& t) -> Number {
    const Fixed m = a + d * t;
    return b.cast<Number>().dot(Vector(m.partialPivLu().solve(b.cast<Number>())));
  };
  const MatrixXd inverse = a.inverse();
  const Number t(tape.scalar(0));
  CHECK(derivative(f, t, 1).value() == Approx(-b.dot(inverse * d * inverse * b)));
  CHECK(derivative(f, t, 2).value() == Approx(2 * b.dot(inverse * d * inverse * d * inverse * b)));
}

// The gradient of the sum of A^-1 b, by a factorization, in all entries of A.
template <class Solve>
void check_solution(const MatrixXd& a, Solve solve) {
  Tape<double> tape;
  const VectorXd b = any_vector(a.rows());
  const auto sum = [&](const Matrix& m) -> Number { return solve(m, b.cast<Number>()).sum(); };
  const VectorXd ones = VectorXd::Ones(a.rows());
  check_near(values(gradient(sum, on(tape, a))),
             -(a.transpose().inverse() * ones) * (a.inverse() * b).transpose());
}

TEST_CASE("eigen: LU, LLT and LDLT lose no derivative in entries that are 0") {
  const MatrixXd diagonal = Eigen::Vector3d(1, 5, 9).asDiagonal();
  const MatrixXd upper = any_matrix(3).triangularView<Eigen::Upper>();
  for (const MatrixXd& a : {MatrixXd(MatrixXd::Identity(3, 3)), diagonal, upper}) {
    check_solution(
        a, [](const Matrix& m, const Vector& b) -> Vector { return m.partialPivLu().solve(b); });
    check_solution(
        a, [](const Matrix& m, const Vector& b) -> Vector { return m.fullPivLu().solve(b); });
    check_solution(a, [](const Matrix& m, const Vector& b) -> Vector {
      return Matrix(m.transpose() * m).llt().solve(Vector(m.transpose() * b));
    });
    check_solution(a, [](const Matrix& m, const Vector& b) -> Vector {
      return Matrix(m.transpose() * m).ldlt().solve(Vector(m.transpose() * b));
    });
  }
}

}  // namespace
}  // namespace fjord
