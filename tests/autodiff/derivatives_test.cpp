#include "fjord/autodiff/derivatives.hpp"

#include <cmath>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {
namespace {

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

double worst_difference(const Tensor<double>& a, const Tensor<double>& b) {
  return worst_difference(TensorView<double>(a), b);
}

TEST_CASE_TEMPLATE(
    "derivatives: a polynomial has the gradient, products and Hessian of its formula", T, float,
    double) {
  Tape<T> tape;
  const Var<T> x = tape.input({1, -2, 3});
  const Var<T> v = tape.input({1, 10, 100});
  const auto cubes = [](const Var<T>& y) { return y * y * y; };
  const auto total = [](const Var<T>& y) { return sum(y * y * y); };
  CHECK(Tensor<T>(gradient(total, x).value()) == Tensor<T>{3, 12, 27});
  CHECK(Tensor<T>(jvp(cubes, x, v).value()) == Tensor<T>{3, 120, 2700});
  CHECK(Tensor<T>(vjp(cubes, x, v).value()) == Tensor<T>{3, 120, 2700});
  CHECK(Tensor<T>(hvp(total, x, v).value()) == Tensor<T>{6, -120, 1800});
  CHECK(jacobian<T>(cubes, Tensor<T>{1, -2, 3}) == Tensor<T>{{3, 0, 0}, {0, 12, 0}, {0, 0, 27}});
}

TEST_CASE("derivatives: a quadratic form has those of linear algebra") {
  // f = x A x^T, a row x and an unsymmetric A: gradient x (A + A^T), Hessian A + A^T.
  Tape<double> tape;
  const Tensor<double> a{{1, 2, 3}, {5, -1, 0}, {2, 2, 4}};
  const Tensor<double> both{{2, 7, 5}, {7, -2, 2}, {5, 2, 8}};
  const auto f = [&](const Var<double>& x) { return sum(matmul(x, x.tape().input(a)) * x); };
  const Var<double> x = tape.input({{1, -1, 2}});
  const Var<double> v = tape.input({{3, 1, -2}});
  CHECK(worst_difference(gradient(f, x).value(), {{5, 13, 19}}) < 1e-13);
  CHECK(worst_difference(hvp(f, x, v).value(), {{3, 15, 1}}) < 1e-13);
  const auto slope = [&](const Var<double>& y) { return gradient(f, y); };
  CHECK(worst_difference(jacobian<double>(slope, {{1, -1, 2}}), both.reshaped({1, 3, 1, 3})) <
        1e-13);
}

TEST_CASE("derivatives: the Jacobian of polar coordinates is that of the book") {
  const auto f = [](const Var<double>& p) {
    const Var<double> r = slice(p, 0, 0, 1);
    const Var<double> angle = slice(p, 0, 1, 2);
    return concatenate({r * cos(angle), r * sin(angle)}, 0);
  };
  const double c = std::cos(0.7);
  const double s = std::sin(0.7);
  CHECK(worst_difference(jacobian<double>(f, {2, 0.7}), {{c, -2 * s}, {s, 2 * c}}) < 1e-15);
}

TEST_CASE("derivatives: a Jacobian has the shape of the result, then that of the argument") {
  const auto row_sums = [](const Var<double>& x) { return sum(x * x, {1}); };
  const Tensor<double> rows = jacobian<double>(row_sums, {{1, 2, 3}, {4, 5, 6}});
  CHECK(rows == Tensor<double>{{{2, 4, 6}, {0, 0, 0}}, {{0, 0, 0}, {8, 10, 12}}});
  const auto transpose = [](const Var<double>& x) { return swap_axes(x, 0, 1); };
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
  const auto total = [](const Var<double>& x) { return sum(x); };
  CHECK(jacobian<double>(total, {{1, 2}, {3, 4}}) == Tensor<double>::ones({2, 2}));
  CHECK(jacobian<double>(total, Tensor<double>(3)) == Tensor<double>(1));
}

TEST_CASE("derivatives: constant functions, the identity and empty tensors are ordinary") {
  const auto constant = [](const Var<double>& x) { return x.tape().input({1, 2}); };
  const auto same = [](const Var<double>& x) { return x; };
  CHECK(jacobian<double>(constant, {1, 2, 3}) == Tensor<double>::zeros({2, 3}));
  CHECK(jacobian<double>(same, {1, 2}) == Tensor<double>::identity(2));
  CHECK(jacobian<double>(same, Tensor<double>::zeros({0, 2})).shape() == Shape{0, 2, 0, 2});
  Tape<double> tape;
  const Var<double> x = tape.scalar(3);
  const auto number = [](const Var<double>& y) { return y.tape().scalar(5); };
  CHECK(gradient(number, x).item() == 0);
  CHECK(gradient(same, x).item() == 1);
  CHECK(jvp(number, x, x).item() == 0);
  CHECK(jvp(same, x, x).item() == 3);
  CHECK(vjp(same, x, x).item() == 3);
  CHECK(hvp(number, x, x).item() == 0);
}

TEST_CASE("derivatives: the gradient in a shape is a tensor of that shape") {
  Tape<double> tape;
  const auto total = [](const Var<double>& x) { return sum(square(x)); };
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{3}, Shape{2, 0}, Shape{2, 3, 4}}) {
    const Var<double> x = tape.input(Tensor<double>::full(shape, 1.5));
    CHECK(Tensor<double>(gradient(total, x).value()) == Tensor<double>::full(shape, 3));
    CHECK(Tensor<double>(hvp(total, x, x).value()) == Tensor<double>::full(shape, 3));
  }
}

TEST_CASE("derivatives: a function may capture variables, which are constants to it") {
  Tape<double> tape;
  const Var<double> a = tape.scalar(2);
  const Var<double> x = tape.scalar(3);
  const auto f = [&](const Var<double>& y) { return a * y * y; };
  const Var<double> slope = gradient(f, x);  // 2 a x
  CHECK(slope.item() == 12);
  // Both are variables again outside.
  const Vars<double> outer = pullback<double>({slope}, {tape.scalar(1)}, {a, x});
  CHECK(outer[0].item() == 6);
  CHECK(outer[1].item() == 4);
}

TEST_CASE(
    "derivatives: a Jacobian on the tape is differentiated again, whichever way it was found") {
  // The Jacobian of (x y, x y z) is ((y, x, 0), (y z, x z, x y)); of (x, y) -> (x y, x^2, y^2) it
  // is ((y, x), (2 x, 0), (0, 2 y)). Its sum of squares has a gradient in closed form.
  Tape<double> tape;
  const auto at = [](const Var<double>& v, Index i) { return slice(v, 0, i, i + 1); };
  const auto wide = [&](const Var<double>& v) {
    const Var<double> xy = at(v, 0) * at(v, 1);
    return concatenate({xy, xy * at(v, 2)}, 0);
  };
  const auto tall = [&](const Var<double>& v) {
    return concatenate({at(v, 0) * at(v, 1), square(v)}, 0);
  };
  const Var<double> p = tape.input({2, 3, 5});
  CHECK(Tensor<double>(jacobian(wide, p).value()) == Tensor<double>{{3, 2, 0}, {15, 10, 6}});
  const auto wide_squares = [&](const Var<double>& v) { return sum(square(jacobian(wide, v))); };
  // 2 x (1 + z^2 + y^2), 2 y (1 + z^2 + x^2), 2 z (x^2 + y^2)
  CHECK(Tensor<double>(gradient(wide_squares, p).value()) == Tensor<double>{140, 180, 130});
  const Var<double> q = tape.input({2, 3});
  CHECK(Tensor<double>(jacobian(tall, q).value()) == Tensor<double>{{3, 2}, {4, 0}, {0, 6}});
  const auto tall_squares = [&](const Var<double>& v) { return sum(square(jacobian(tall, v))); };
  CHECK(Tensor<double>(gradient(tall_squares, q).value()) == Tensor<double>{20, 30});
  CHECK(Tensor<double>(hvp(tall_squares, q, q).value()) == Tensor<double>{20, 30});
}

TEST_CASE("derivatives: Jacobians over several axes stand in the order C, both ways") {
  // Entry (i, j) of x [2, 3] times weight k, and the weighted sum over the entries.
  const Tensor<double> weights{{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {10, 11, 12}}};
  const auto many = [&](const Var<double>& x) { return x.tape().input(weights) * x; };
  const auto few = [&](const Var<double>& x) { return sum(many(x), {1, 2}); };
  const Tensor<double> point{{1, -1, 2}, {0, 3, 4}};
  const Tensor<double> forward = jacobian(many, point);
  REQUIRE(forward.shape() == Shape{2, 2, 3, 2, 3});
  CHECK(jacobian(few, point) == weights);
  for (Index k = 0; k < 2; ++k) {
    for (Index i = 0; i < 2; ++i) {
      for (Index j = 0; j < 3; ++j) {
        CHECK(forward(k, i, j, i, j) == weights(k, i, j));
        CHECK(forward(k, i, j, i, (j + 1) % 3) == 0);
        CHECK(forward(k, i, j, 1 - i, j) == 0);
      }
    }
  }
}

TEST_CASE("derivatives: Hessian, its diagonal and its Jacobian are those of the formula") {
  Tape<double> tape;
  const Tensor<double> a{{1, 2, 3}, {5, -1, 0}, {2, 2, 4}};
  const auto form = [&](const Var<double>& x) {
    return sum(matmul(x, x.tape().input(a)) * x) + sum(x * x * x);
  };
  // A + A^T + 6 diag(x), and 6 where all three indices are equal.
  const Var<double> x = tape.input({{1, -1, 2}});
  const Tensor<double> expected{{8, 7, 5}, {7, -8, 2}, {5, 2, 20}};
  CHECK(worst_difference(hessian(form, x).value(), expected.reshaped({1, 3, 1, 3})) < 1e-13);
  CHECK(worst_difference(hessian_diagonal(form, x).value(), {{8, -8, 20}}) < 1e-13);
  const auto curvature = [&](const Var<double>& at) { return hessian(form, at); };
  const Tensor<double> third(jacobian(curvature, x).value());
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) {
      for (Index k = 0; k < 3; ++k) {
        CHECK(std::abs(third(0, i, 0, j, 0, k) - (i == j && j == k ? 6.0 : 0.0)) < 1e-13);
      }
    }
  }
  const auto diagonal = [&](const Var<double>& at) { return sum(hessian_diagonal(form, at)); };
  CHECK(worst_difference(gradient(diagonal, x).value(), {{6, 6, 6}}) < 1e-13);
  const auto cube = [](const Var<double>& y) { return y * y * y; };
  CHECK(hessian(cube, tape.scalar(2)).item() == 12);
  CHECK(hessian_diagonal(cube, tape.scalar(2)).item() == 12);
}

TEST_CASE("derivatives: the divergence of a field of rows, and its gradient") {
  Tape<double> tape;
  const Var<double> x = tape.input({{1, 2}, {-1, 0.5}, {3, -2}});
  // (x^2 y, x y^2): 2 x y + 2 x y = 4 x y.
  const auto field = [](const Var<double>& v) {
    const Var<double> a = slice(v, 1, 0, 1);
    const Var<double> b = slice(v, 1, 1, 2);
    return concatenate({square(a) * b, a * square(b)}, 1);
  };
  CHECK(Tensor<double>(divergence(field, x).value()) == Tensor<double>{8, -2, -24});
  const auto total = [&](const Var<double>& v) { return sum(divergence(field, v)); };
  CHECK(Tensor<double>(gradient(total, x).value()) == Tensor<double>{{8, 4}, {2, -4}, {-8, 12}});
  CHECK_THROWS_AS(divergence(field, tape.input({1, 2})), std::invalid_argument);
  const auto half = [](const Var<double>& v) { return slice(v, 1, 0, 1); };
  CHECK_THROWS_WITH_AS(divergence(half, x),
                       "[divergence] x and y [B, D] are needed, got [3, 2] and [3, 1]",
                       std::invalid_argument);
}

TEST_CASE("derivatives: derivatives of any order of elementwise functions and of curves") {
  Tape<double> tape;
  const Var<double> x = tape.input({0.3, -1.2, 2});
  const auto wave = [](const Var<double>& v) { return sin(v * 2); };
  for (int order = 0; order <= 6; ++order) {
    const Tensor<double> found(derivative(wave, x, order).value());
    for (Index i = 0; i < 3; ++i) {
      const double at = Tensor<double>(x.value())(i);
      const double expected = std::pow(2, order) * std::sin(2 * at + order * std::acos(0.0));
      CHECK(std::abs(found(i) - expected) < 1e-13 * std::pow(2, order));
    }
  }
  const auto curve = [](const Var<double>& t) {
    return concatenate({reshape(t * t * t, {1}), reshape(exp(t), {1})}, 0);
  };
  const Tensor<double> third(derivative(curve, tape.scalar(0), 3).value());
  CHECK(third == Tensor<double>{6, 1});
  CHECK(Tensor<double>(derivative(wave, x).value()) ==
        Tensor<double>(jvp(wave, x, tape.input({1, 1, 1})).value()));
  CHECK_THROWS_WITH_AS(derivative([](const Var<double>& v) { return sum(v); }, x),
                       "[derivative] an elementwise function, or one of one number, is needed, got "
                       "one from shape [3] to []",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(derivative(wave, x, -1), "[derivative] the order must be at least 0, got -1",
                       std::invalid_argument);
}

TEST_CASE("derivatives: value and gradient come from one recording") {
  Tape<double> tape;
  int calls = 0;
  const auto f = [&](auto v) {
    ++calls;
    return sum(square(v));
  };
  const auto [value, slope] = value_and_gradient(f, tape.input({3, 4}));
  CHECK(calls == 1);
  CHECK(value.item() == 25);
  CHECK(Tensor<double>(slope.value()) == Tensor<double>{6, 8});
}

TEST_CASE("derivatives: mistakes are errors that say what is wrong") {
  Tape<double> tape;
  Tape<double> other;
  const Var<double> x = tape.input({1, 2});
  const Var<double> three = tape.input({1, 2, 3});
  const Var<double> foreign = other.scalar(1);
  const auto squares = [](const Var<double>& y) { return y * y; };
  const auto nothing = [](const Var<double>&) { return Var<double>(); };
  const auto stranger = [&](const Var<double>&) { return foreign; };
  constexpr const char* one_number =
      "[gradient] the function must give one number, got shape [2]; sum it, or use a "
      "vector-Jacobian product";
  CHECK_THROWS_WITH_AS(gradient(squares, x), one_number, std::invalid_argument);
  CHECK_THROWS_WITH_AS(hvp(squares, x, x), one_number, std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      jvp(squares, x, three),
      "[pushforward] a derivative must have the shape of its variable, [2], got [3]",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(vjp(squares, x, three),
                       "[pullback] a derivative must have the shape of its variable, [2], got [3]",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient(nothing, x), "[var] the handle is empty: it was never given a node",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      gradient(stranger, x),
      "[pullback] the handle belongs to another tape; record all operands on one tape",
      std::invalid_argument);
  CHECK_THROWS_AS(jacobian<double>(nothing, {1, 2}), std::invalid_argument);
}

TEST_CASE("gradient: of two operands of one entry, whose ranks alone differ") {
  for (const Shape& a_shape : {Shape{}, Shape{1}, Shape{1, 1}}) {
    for (const Shape& b_shape : {Shape{}, Shape{1}, Shape{1, 1}}) {
      Tape<double> tape;
      const Var<double> a = tape.input(Tensor<double>::full(a_shape, 3.0));
      const Var<double> b = tape.input(Tensor<double>::full(b_shape, 4.0));
      const Var<double> by_a = gradient([&](const Var<double>& v) { return sum(v / b); }, a);
      const Var<double> by_b = gradient([&](const Var<double>& v) { return sum(a / v); }, b);
      CHECK(Tensor<double>((a / b).value()).to_vector() == std::vector<double>{0.75});
      CHECK(by_a.shape() == a_shape);
      CHECK(Tensor<double>(by_a.value()).to_vector() == std::vector<double>{0.25});
      CHECK(by_b.shape() == b_shape);
      CHECK(Tensor<double>(by_b.value()).to_vector() == std::vector<double>{-0.1875});
    }
  }
}

}  // namespace
}  // namespace fjord
