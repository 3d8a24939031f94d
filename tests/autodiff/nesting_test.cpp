// The two sweeps over each other: every order of derivative from the same two functions.
#include <cmath>
#include <complex>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {
namespace {

using Scalar = Var<double>;
using F = std::function<Scalar(const Scalar&)>;

// The derivative of a number along v, by one sweep of either kind: 'f' forward, 'r' reverse.
Var<double> along(char kind, const Var<double>& number, const Var<double>& x,
                  const Var<double>& v) {
  if (kind == 'f') return pushforward(x, v, number);
  const Var<double> one = x.tape().filled(NodeShape{}, 1);
  return sum(pullback<double>({number}, {one}, {x})[0] * v);
}

// All words of `length` letters f and r: the nestings, innermost sweep first.
std::vector<std::string> nestings(int length) {
  std::vector<std::string> words{""};
  for (int i = 0; i < length; ++i) {
    std::vector<std::string> longer;
    for (const std::string& word : words) {
      longer.push_back(word + 'f');
      longer.push_back(word + 'r');
    }
    words = longer;
  }
  return words;
}

TEST_CASE("nesting: every nesting up to the fourth order meets a closed form") {
  // The n-th derivative of exp(2 x) sin(x) is the imaginary part of (2 + i)^n exp((2 + i) x).
  const double at = 0.4;
  const std::complex<double> rate(2, 1);
  for (int order = 1; order <= 4; ++order) {
    const double expected = (std::pow(rate, order) * std::exp(rate * at)).imag();
    for (const std::string& nesting : nestings(order)) {
      CAPTURE(nesting);
      Tape<double> tape;
      const Var<double> x = tape.scalar(at);
      const Var<double> one = tape.scalar(1);
      Var<double> y = exp(x * 2) * sin(x);
      for (const char kind : nesting) y = along(kind, y, x, one);
      CHECK(std::abs(y.item() - expected) < 1e-13 * std::abs(expected));
    }
  }
}

Tensor<double> draw(const Shape& shape, std::uint64_t seed) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  RandomKey(seed).normal(numbers.storage());
  return numbers;
}

// A number that depends on x [3, 2] through operations of every family, one upon the other.
Var<double> composite(const Var<double>& x) {
  Tape<double>& tape = x.tape();
  const Var<double> weight = tape.input(draw({4, 2}, 1));
  const Var<double> bias = tape.input(draw({4}, 2));
  const Var<double> mix = tape.input(draw({4, 2}, 3));
  const Var<double> h = tanh(affine(x, weight, bias));
  const Var<double> narrow = sigmoid(matmul(h, mix)) * exp(sum(square(x), {1}, true) * -0.5);
  const std::array<double, 2> steps{0.5, -0.25};
  const std::array<Var<double>, 2> terms{narrow, silu(x)};
  const Var<double> step = add_combination<double>(x, mean(h), steps, terms);
  const Var<double> turned = swap_axes(reshape(gelu(h), {2, 3, 2}), 0, 2);
  const Var<double> both = concatenate({step, reshape(turned, {3, 4})}, 1);
  const Var<double> positive = where(both > 0, both * both * both, both / (both - 5));
  const Var<double> ratio = softplus(slice(both, 1, 1, 3)) / sqrt(1 + square(slice(x, 0, 0, 1)));
  return sum(log(1 + square(positive))) + sum(ratio) + trace(matmul(swap_axes(h, 0, 1), elu(both)));
}

double value_at(const Tensor<double>& x) {
  Tape<double> tape;
  return composite(tape.input(x)).item();
}

// The derivative along the directions so far, by forward sweeps: what differences are taken of.
double derivative_at(const Tensor<double>& at, const std::vector<Tensor<double>>& directions) {
  Tape<double> tape;
  const Var<double> x = tape.input(at);
  Var<double> y = composite(x);
  for (const Tensor<double>& v : directions) y = pushforward(x, tape.input(v), y);
  return y.item();
}

double difference_along(const Tensor<double>& at, const Tensor<double>& v,
                        const std::vector<Tensor<double>>& others) {
  constexpr double h = 5e-3;
  constexpr std::array<double, 3> weights{45, -9, 1};  // of the six-point stencil
  double slope = 0;
  for (int i = 1; i <= 3; ++i) {
    for (const double side : {1.0, -1.0}) {
      Tensor<double> moved = at;
      for (std::size_t k = 0; k < moved.storage().size(); ++k) {
        moved.storage()[k] += side * i * h * v.storage()[k];
      }
      slope += side * weights[static_cast<std::size_t>(i - 1)] * derivative_at(moved, others);
    }
  }
  return slope / (60 * h);
}

TEST_CASE("nesting: all nestings to the third order agree, and are what differences say") {
  const Tensor<double> at = draw({3, 2}, 10);
  const std::vector<Tensor<double>> directions{draw({3, 2}, 11), draw({3, 2}, 12),
                                               draw({3, 2}, 13)};
  REQUIRE(std::isfinite(value_at(at)));
  for (int order = 1; order <= 3; ++order) {
    const auto count = static_cast<std::size_t>(order);
    const std::vector<Tensor<double>> others(directions.begin(), directions.begin() + order - 1);
    const double expected = difference_along(at, directions[count - 1], others);
    const double first = derivative_at(at, {directions.begin(), directions.begin() + order});
    CHECK(std::abs(first - expected) < 1e-8 * std::max(1.0, std::abs(expected)));
    CHECK(std::abs(expected) > 0.1);
    for (const std::string& nesting : nestings(order)) {
      CAPTURE(nesting);
      Tape<double> tape;
      const Var<double> x = tape.input(at);
      Var<double> y = composite(x);
      for (std::size_t i = 0; i < count; ++i) {
        y = along(nesting[i], y, x, tape.input(directions[i]));
      }
      CHECK(std::abs(y.item() - first) < 1e-11 * std::max(1.0, std::abs(first)));
    }
  }
}

TEST_CASE("nesting: a last sweep of values gives what a recorded one gives") {
  Tape<double> tape;
  const Var<double> x = tape.input(draw({3, 2}, 10));
  const Var<double> v = tape.input(draw({3, 2}, 11));
  const Var<double> one = tape.scalar(1);
  for (const char kind : {'f', 'r'}) {
    CAPTURE(kind);
    const Var<double> slope = along(kind, composite(x), x, v);
    const Tensor<double> recorded(pullback<double>({slope}, {one}, {x})[0].value());
    const Tensor<double> values(gradient_values<double>(slope, std::span(&x, 1))[0]);
    const double along_v = pushforward(x, v, slope).item();
    CHECK(pushforward_values<double>({x}, {v}, {slope})[0].item() == along_v);
    double product = 0;
    for (std::size_t i = 0; i < recorded.storage().size(); ++i) {
      CHECK(std::abs(recorded.storage()[i] - values.storage()[i]) < 1e-12);
      product += values.storage()[i] * v.value().data()[i];
    }
    CHECK(std::abs(product - along_v) < 1e-11 * std::max(1.0, std::abs(along_v)));
  }
}

// The derivative of a function of one number, by either kind of sweep.
Scalar derivative(char kind, const F& f, const Scalar& x) {
  return kind == 'f' ? jvp(f, x, x.tape().scalar(1)) : gradient(f, x);
}

TEST_CASE("nesting: the variable of an inner derivative is not that of an outer one") {
  for (const std::string& kinds : nestings(2)) {
    CAPTURE(kinds);
    Tape<double> tape;
    const Scalar at = tape.scalar(3);
    // D(y -> x y)(x) = x: x inside is a constant, though y has its value.
    const F constant = [&](const Scalar& x) {
      return derivative(
          kinds[0], [&](const Scalar& y) { return x * y; }, x);
    };
    CHECK(constant(at).item() == 3);
    CHECK(derivative(kinds[1], constant, at).item() == 1);
    // d/dx [x D(y -> x + y)(x)] = 1.
    const F sum_inside = [&](const Scalar& x) {
      return x * derivative(
                     kinds[0], [&](const Scalar& y) { return x + y; }, x);
    };
    CHECK(derivative(kinds[1], sum_inside, at).item() == 1);
    // D(y -> x y^2)(x) = 2 x y at y = x, so its derivative in x is 4 x.
    const F square_inside = [&](const Scalar& x) {
      return derivative(
          kinds[0], [&](const Scalar& y) { return x * y * y; }, x);
    };
    CHECK(square_inside(at).item() == 18);
    CHECK(derivative(kinds[1], square_inside, at).item() == 12);
  }
}

TEST_CASE("nesting: three variables at one point stay apart") {
  // D_x [x D_y [y^2 D_z [x y z^3] (y)] (x)] at x = 2: the innermost is 3 x y z^2 = 3 x y^3 at z =
  // y; then D_y of 3 x y^5 with x held is 15 x y^4 = 15 x^5 at y = x; then D_x of 15 x^6 is 90 x^5.
  for (const std::string& kinds : nestings(3)) {
    CAPTURE(kinds);
    Tape<double> tape;
    const F outer = [&](const Scalar& x) {
      const F middle = [&](const Scalar& y) {
        const F inner = [&](const Scalar& z) { return x * y * z * z * z; };
        return y * y * derivative(kinds[0], inner, y);
      };
      return x * derivative(kinds[1], middle, x);
    };
    CHECK(derivative(kinds[2], outer, tape.scalar(2)).item() == 90 * 32);
  }
}

TEST_CASE("nesting: a sweep in a node itself takes every path through its value") {
  // What the derivative functions of one variable guard against: no fresh node, no second variable.
  Tape<double> tape;
  const Scalar x = tape.scalar(3);
  CHECK(pullback<double>({x * x}, {tape.scalar(1)}, {x})[0].item() == 6);
}

TEST_CASE("nesting: a gradient step inside a function is differentiated with it") {
  // One step of descent on (w - x)^2 / 2 from w = 0 with rate a, then the loss (w' - 1)^2:
  // w' = a x, so the derivative in x is 2 (a x - 1) a.
  for (const std::string& kinds : nestings(2)) {
    CAPTURE(kinds);
    Tape<double> tape;
    const double a = 0.25;
    const F f = [&](const Scalar& x) {
      const Scalar w = tape.scalar(0);
      const Scalar slope = derivative(
          kinds[0], [&](const Scalar& y) { return square(y - x) * 0.5; }, w);
      return square(w - slope * a - 1);
    };
    CHECK(derivative(kinds[1], f, tape.scalar(2)).item() == 2 * (a * 2 - 1) * a);
  }
}

}  // namespace
}  // namespace fjord
