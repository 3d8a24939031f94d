#include "fjord/autodiff/derivatives.hpp"

#include <cmath>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {
namespace {

template <class T>
using F = Function<T>;

double worst_difference(const TensorView<double>& a, const Tensor<double>& b) {
  REQUIRE(to_string(a.shape()) == to_string(b.shape()));
  const Tensor<double> left(a);
  double worst = 0;
  for (std::size_t i = 0; i < left.storage().size(); ++i) {
    const double error = std::abs(left.storage()[i] - b.storage()[i]);
    if (!(error <= worst)) worst = error;  // so that NaN counts
  }
  return worst;
}

TEST_CASE_TEMPLATE(
    "derivatives: a polynomial has the gradient, products and Hessian of its formula", T, float,
    double) {
  Tape<T> tape;
  const Var<T> x = tape.input({1, -2, 3});
  const Var<T> v = tape.input({1, 10, 100});
  const F<T> cubes = [](const Var<T>& y) { return y * y * y; };
  const F<T> total = [](const Var<T>& y) { return sum(y * y * y); };
  CHECK(Tensor<T>(gradient<T>(total, x).value()) == Tensor<T>{3, 12, 27});
  CHECK(Tensor<T>(jvp<T>(cubes, x, v).value()) == Tensor<T>{3, 120, 2700});
  CHECK(Tensor<T>(vjp<T>(cubes, x, v).value()) == Tensor<T>{3, 120, 2700});
  CHECK(Tensor<T>(hvp<T>(total, x, v).value()) == Tensor<T>{6, -120, 1800});
  CHECK(jacobian<T>(cubes, Tensor<T>{1, -2, 3}) == Tensor<T>{{3, 0, 0}, {0, 12, 0}, {0, 0, 27}});
}

TEST_CASE("derivatives: a quadratic form has those of linear algebra") {
  // f = x A x^T, a row x and an unsymmetric A: gradient x (A + A^T), Hessian A + A^T.
  Tape<double> tape;
  const Tensor<double> a{{1, 2, 3}, {5, -1, 0}, {2, 2, 4}};
  const Tensor<double> both{{2, 7, 5}, {7, -2, 2}, {5, 2, 8}};
  const F<double> f = [&](const Var<double>& x) { return sum(matmul(x, x.tape().input(a)) * x); };
  const Var<double> x = tape.input({{1, -1, 2}});
  const Var<double> v = tape.input({{3, 1, -2}});
  CHECK(worst_difference(gradient<double>(f, x).value(), {{5, 13, 19}}) < 1e-13);
  CHECK(worst_difference(hvp<double>(f, x, v).value(), {{3, 15, 1}}) < 1e-13);
  const F<double> slope = [&](const Var<double>& y) { return gradient<double>(f, y); };
  CHECK(worst_difference(jacobian<double>(slope, {{1, -1, 2}}), both.reshaped({1, 3, 1, 3})) <
        1e-13);
}

TEST_CASE("derivatives: the Jacobian of polar coordinates is that of the book") {
  const F<double> f = [](const Var<double>& p) {
    const Var<double> r = slice(p, 0, 0, 1);
    const Var<double> angle = slice(p, 0, 1, 2);
    return concatenate({r * cos(angle), r * sin(angle)}, 0);
  };
  const double c = std::cos(0.7);
  const double s = std::sin(0.7);
  CHECK(worst_difference(jacobian<double>(f, {2, 0.7}), {{c, -2 * s}, {s, 2 * c}}) < 1e-15);
}

TEST_CASE("derivatives: a Jacobian has the shape of the result, then that of the argument") {
  const F<double> row_sums = [](const Var<double>& x) { return sum(x * x, {1}); };
  const Tensor<double> rows = jacobian<double>(row_sums, {{1, 2, 3}, {4, 5, 6}});
  CHECK(rows == Tensor<double>{{{2, 4, 6}, {0, 0, 0}}, {{0, 0, 0}, {8, 10, 12}}});
  const F<double> transpose = [](const Var<double>& x) { return swap_axes(x, 0, 1); };
  const Tensor<double> moved = jacobian<double>(transpose, Tensor<double>::zeros({2, 3}));
  CHECK(moved.shape() == Shape{3, 2, 2, 3});
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 2; ++j) {
      for (Index k = 0; k < 2; ++k) {
        for (Index l = 0; l < 3; ++l) {
          CHECK(moved(i, j, k, l) == (i == l && j == k ? 1.0 : 0.0));
        }
      }
    }
  }
  const F<double> total = [](const Var<double>& x) { return sum(x); };
  CHECK(jacobian<double>(total, {{1, 2}, {3, 4}}) == Tensor<double>::ones({2, 2}));
  CHECK(jacobian<double>(total, Tensor<double>(3)) == Tensor<double>(1));
}

TEST_CASE("derivatives: constant functions, the identity and empty tensors are ordinary") {
  const F<double> constant = [](const Var<double>& x) { return x.tape().input({1, 2}); };
  const F<double> same = [](const Var<double>& x) { return x; };
  CHECK(jacobian<double>(constant, {1, 2, 3}) == Tensor<double>::zeros({2, 3}));
  CHECK(jacobian<double>(same, {1, 2}) == Tensor<double>::identity(2));
  CHECK(jacobian<double>(same, Tensor<double>::zeros({0, 2})).shape() == Shape{0, 2, 0, 2});
  Tape<double> tape;
  const Var<double> x = tape.scalar(3);
  const F<double> number = [](const Var<double>& y) { return y.tape().scalar(5); };
  CHECK(gradient<double>(number, x).item() == 0);
  CHECK(gradient<double>(same, x).item() == 1);
  CHECK(jvp<double>(number, x, x).item() == 0);
  CHECK(jvp<double>(same, x, x).item() == 3);
  CHECK(vjp<double>(same, x, x).item() == 3);
  CHECK(hvp<double>(number, x, x).item() == 0);
}

TEST_CASE("derivatives: the gradient in a shape is a tensor of that shape") {
  Tape<double> tape;
  const F<double> total = [](const Var<double>& x) { return sum(square(x)); };
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{3}, Shape{2, 0}, Shape{2, 3, 4}}) {
    const Var<double> x = tape.input(Tensor<double>::full(shape, 1.5));
    CHECK(Tensor<double>(gradient<double>(total, x).value()) == Tensor<double>::full(shape, 3));
    CHECK(Tensor<double>(hvp<double>(total, x, x).value()) == Tensor<double>::full(shape, 3));
  }
}

TEST_CASE("derivatives: a function may capture variables, which are constants to it") {
  Tape<double> tape;
  const Var<double> a = tape.scalar(2);
  const Var<double> x = tape.scalar(3);
  const F<double> f = [&](const Var<double>& y) { return a * y * y; };
  const Var<double> slope = gradient<double>(f, x);  // 2 a x
  CHECK(slope.item() == 12);
  // Both are variables again outside.
  const Vars<double> outer = pullback<double>({slope}, {tape.scalar(1)}, {a, x});
  CHECK(outer[0].item() == 6);
  CHECK(outer[1].item() == 4);
}

TEST_CASE("derivatives: mistakes are errors that say what is wrong") {
  Tape<double> tape;
  Tape<double> other;
  const Var<double> x = tape.input({1, 2});
  const Var<double> three = tape.input({1, 2, 3});
  const Var<double> foreign = other.scalar(1);
  const F<double> squares = [](const Var<double>& y) { return y * y; };
  const F<double> nothing = [](const Var<double>&) { return Var<double>(); };
  const F<double> stranger = [&](const Var<double>&) { return foreign; };
  constexpr const char* one_number =
      "[gradient] the function must give one number, got shape [2]; sum it, or use a "
      "vector-Jacobian product";
  CHECK_THROWS_WITH_AS(gradient<double>(squares, x), one_number, std::invalid_argument);
  CHECK_THROWS_WITH_AS(hvp<double>(squares, x, x), one_number, std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      jvp<double>(squares, x, three),
      "[pushforward] a derivative must have the shape of its variable, [2], got [3]",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(vjp<double>(squares, x, three),
                       "[pullback] a derivative must have the shape of its variable, [2], got [3]",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient<double>(nothing, x),
                       "[var] the handle is empty: it was never given a node",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      gradient<double>(stranger, x),
      "[pullback] the handle belongs to another tape; record all operands on one tape",
      std::invalid_argument);
  CHECK_THROWS_AS(jacobian<double>(nothing, {1, 2}), std::invalid_argument);
}

}  // namespace
}  // namespace fjord
