// Sums of many numbers keep their digits, along every axis, in values and in derivatives.
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/loss.hpp"
#include "fjord/autodiff/ops/mlp.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/normalize.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/scan.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

constexpr Index many = 1'000'000;

// A few units in the last place for each doubling of the number of terms.
const double tolerance = 3 * std::numeric_limits<float>::epsilon() * std::log2(many);

// An operation in float and in double.
struct Case {
  std::string name;
  std::function<Var<float>(const Var<float>&)> in_float;
  std::function<Var<double>(const Var<double>&)> in_double;

  template <class F>
  Case(std::string text, F f) : name(std::move(text)), in_float(f), in_double(f) {}
};

// Shapes with a long axis: alone, behind and before a short one, and between two.
struct Long {
  Shape shape;
  Index axis;
};

const std::vector<Long> shapes{
    {{many}, 0}, {{many, 2}, 0}, {{2, many}, 1}, {{2, many / 4, 2}, 1}, {{700, 3000}, 1}};

std::vector<Case> reductions(const Shape& shape, Index axis) {
  return {
      {"sum", [=](const auto& x) { return sum(x, {axis}); }},
      {"mean", [=](const auto& x) { return mean(x, {axis}); }},
      {"sum of all", [](const auto& x) { return sum(x); }},
      {"mean of all", [](const auto& x) { return mean(x); }},
      {"sum_squares", [=](const auto& x) { return sum_squares(x, {axis}); }},
      {"norm", [=](const auto& x) { return norm(x, {axis}); }},
      {"norm of order 1", [=](const auto& x) { return norm(x, {axis}, false, 1); }},
      {"norm of order 3", [=](const auto& x) { return norm(x, {axis}, false, 3); }},
      {"logsumexp", [=](const auto& x) { return logsumexp(x, {axis}); }},
      {"softmax", [=](const auto& x) { return softmax(x, axis); }},
      {"log_softmax", [=](const auto& x) { return log_softmax(x, axis); }},
      {"variance about 0.3", [=](const auto& x) { return mean(square(x - 0.3F), {axis}); }},
      {"cumsum", [=](const auto& x) { return cumsum(x, axis); }},
      {"logcumsumexp", [=](const auto& x) { return logcumsumexp(x, axis); }},
      {"cumsum, the end",
       [=](const auto& x) {
         return slice(cumsum(x, axis), axis, shape[static_cast<std::size_t>(axis)] - 1,
                      shape[static_cast<std::size_t>(axis)]);
       }},
  };
}

// The largest relative error of the entries.
double error_of(const TensorView<float>& got, const TensorView<double>& expected) {
  REQUIRE(got.shape() == expected.shape());
  double worst = 0;
  for (Index i = 0; i < got.shape().size(); ++i) {
    const double error = std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]);
    worst = std::max(worst, error / std::max(std::abs(expected.data()[i]), 1e-300));
  }
  return worst;
}

TEST_CASE("long sums: reductions and scans in float are those in double") {
  for (const Long& each : shapes) {
    CAPTURE(to_string(each.shape));
    for (const Case& c : reductions(each.shape, each.axis)) {
      CAPTURE(c.name);
      Tape<float> single;
      Tape<double> wide;
      const Var<float> x = single.input(Tensor<float>::full(each.shape, 0.1F));
      const Var<double> y = wide.input(Tensor<double>::full(each.shape, static_cast<double>(0.1F)));
      CHECK(error_of(c.in_float(x).value(), c.in_double(y).value()) <= tolerance);
    }
  }
}

// A number, a row or a column stretched to a shape, by every operation that does so.
std::vector<Case> stretches(const Shape& shape) {
  const auto ones = [=](const auto& x) { return x.tape().filled(x.tape().keep_shape(shape), 1); };
  return {
      {"broadcast_to", [=](const auto& x) { return broadcast_to(x, shape); }},
      {"+", [=](const auto& x) { return x + ones(x); }},
      {"-, on the right", [=](const auto& x) { return ones(x) - x; }},
      {"*", [=](const auto& x) { return x * ones(x); }},
      {"*, on the right", [=](const auto& x) { return ones(x) * x; }},
      {"/", [=](const auto& x) { return x / ones(x); }},
      {"/, on the right", [=](const auto& x) { return ones(x) / x; }},
      {"pow", [=](const auto& x) { return pow(x, ones(x)); }},
  };
}

// The derivatives of weights' sum of an operation's result, in values, recorded and forward.
template <class T>
std::vector<Tensor<T>> derivatives_of(const std::function<Var<T>(const Var<T>&)>& f,
                                      const Tensor<T>& at) {
  Tape<T> tape;
  const Var<T> x = tape.input(at);
  const Var<T> y = f(x);
  const Var<T> weighted = sum(y * T(0.1F));
  std::vector<Tensor<T>> found;
  found.emplace_back(gradient_values<T>(weighted, std::span(&x, 1))[0]);
  found.emplace_back(pullback<T>({weighted}, {tape.scalar(1)}, {x})[0].value());
  const Var<T> tangent = tape.input(Tensor<T>::full(at.shape(), T(0.1F)));
  found.emplace_back(pushforward(x, tangent, weighted).value());
  return found;
}

void check_derivatives(const std::vector<Case>& cases, const Tensor<float>& at) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto single = derivatives_of<float>(c.in_float, at);
    const auto wide = derivatives_of<double>(c.in_double, at.as<double>());
    for (std::size_t k = 0; k < single.size(); ++k) {
      CAPTURE(k);
      CHECK(error_of(single[k], wide[k]) <= tolerance);
    }
  }
}

TEST_CASE("long sums: derivatives of stretched operands in float are those in double") {
  const auto number = [](const Shape& shape) { return Tensor<float>::full(shape, 0.1F); };
  check_derivatives(stretches({many}), number({}));
  check_derivatives(stretches({many}), number({1}));
  check_derivatives(stretches({2, many}), number({2, 1}));
  check_derivatives(stretches({many, 2}), number({2}));
  check_derivatives(stretches({2, many / 4, 2}), number({2, 1, 2}));
  check_derivatives(stretches({2, many / 4, 2}), number({1, 1, 1}));
}

TEST_CASE("long sums: entries that are taken many times have the derivatives of double") {
  const Tensor<Index> places = Tensor<Index>::zeros({many});
  const std::vector<Case> cases{
      {"take", [&](const auto& x) { return take(x, places, 0); }},
      {"gather", [&](const auto& x) { return gather(x, places, 0); }},
      {"repeat", [](const auto& x) { return repeat(x, many, 0); }},
      {"tile", [](const auto& x) { return tile(x, {many}); }},
      {"scatter_add",
       [&](const auto& x) { return scatter_add(x, places, broadcast_to(x, {many}), 0); }},
  };
  check_derivatives(cases, Tensor<float>::full({1}, 0.1F));
  check_derivatives({{"take rows", [&](const auto& x) { return take(x, places, 1); }}},
                    Tensor<float>::full({3, 1}, 0.1F));
}

TEST_CASE("long sums: biases of many rows have the derivatives of double") {
  const auto filled = [](const auto& x, const Shape& shape) {
    return x.tape().filled(x.tape().keep_shape(shape), 1);
  };
  constexpr Index rows = many / 4;
  const std::vector<Case> cases{
      {"affine",
       [=](const auto& b) {
         return affine(filled(b, {rows, 2}), filled(b, {3, 2}), b);
       }},
      {"tanh_affine",
       [=](const auto& b) {
         return tanh_affine(filled(b, {rows, 2}) * 0.1F, filled(b, {3, 2}), b);
       }},
      {"tanh_mlp",
       [=](const auto& b) {
         using V = std::remove_cvref_t<decltype(b)>;
         const std::vector<V> layers{filled(b, {3, 2}), b, filled(b, {2, 3}), filled(b, {2})};
         return tanh_mlp(filled(b, {}), filled(b, {rows, 2}) * 0.1F, std::span<const V>(layers));
       }},
      {"tanh_mlp_with_divergence",
       [=](const auto& b) {
         using V = std::remove_cvref_t<decltype(b)>;
         const std::vector<V> layers{filled(b, {3, 2}), b, filled(b, {2, 3}), filled(b, {2})};
         return tanh_mlp_with_divergence(filled(b, {}), filled(b, {rows, 2}) * 0.1F,
                                         std::span<const V>(layers));
       }},
  };
  check_derivatives(cases, Tensor<float>::full({3}, 0.1F));
}

TEST_CASE("long sums: weights of narrow layers have the derivatives of double") {
  const auto filled = [](const auto& x, const Shape& shape) {
    return x.tape().filled(x.tape().keep_shape(shape), 1);
  };
  constexpr Index rows = many / 4;
  const std::vector<Case> cases{
      {"matmul",
       [=](const auto& w) {
         return matmul(filled(w, {rows, 2}) * 0.1F, w);
       }},
      {"affine",
       [=](const auto& w) {
         return affine(filled(w, {rows, 40}) * 0.1F, w, filled(w, {2}));
       }},
      {"tanh_mlp",
       [=](const auto& w) {
         using V = std::remove_cvref_t<decltype(w)>;
         const std::vector<V> layers{w, filled(w, {2}), filled(w, {3, 2}), filled(w, {3})};
         return tanh_mlp(filled(w, {}), filled(w, {rows, 2}) * 0.1F, std::span<const V>(layers));
       }},
  };
  check_derivatives({cases[0]}, Tensor<float>::full({2, 3}, 0.1F));
  check_derivatives({cases[1]}, Tensor<float>::full({2, 40}, 0.1F));
  check_derivatives({cases[2]}, Tensor<float>::full({2, 2}, 0.1F));
}

// Numbers of which products and running sums are neither constant nor without end.
template <class T>
Tensor<T> uneven(const Shape& shape, T middle, T width) {
  Tensor<T> numbers = Tensor<T>::zeros(shape);
  for (Index i = 0; i < shape.size(); ++i)
    numbers.data()[i] = middle + width * (static_cast<T>(i * 7919 % 1009) / 1008 - T(0.5));
  return numbers;
}

template <class T>
Tensor<T> increasing(const Shape& shape) {
  Tensor<T> numbers = Tensor<T>::zeros(shape);
  for (Index i = 0; i < shape.size(); ++i) numbers.data()[i] = static_cast<T>(i + 1) / many;
  return numbers;
}

void check_values(const std::vector<Case>& cases, const Tensor<float>& at) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Tape<float> single;
    Tape<double> wide;
    CHECK(error_of(c.in_float(single.input(at)).value(),
                   c.in_double(wide.input(at.as<double>())).value()) <= tolerance);
  }
}

TEST_CASE("long sums: scans in float have the values and derivatives of double") {
  const auto check = [](const Shape& shape, Index axis) {
    CAPTURE(to_string(shape));
    const Case sum{"cumsum", [=](const auto& x) { return cumsum(x, axis); }};
    const Case product{"cumprod", [=](const auto& x) { return cumprod(x, axis); }};
    const Case logarithm{"logcumsumexp", [=](const auto& x) { return logcumsumexp(x, axis); }};
    check_derivatives({sum, logarithm}, Tensor<float>::full(shape, 0.1F));
    check_derivatives({sum, logarithm}, uneven<float>(shape, 10, 8));
    check_derivatives({sum, logarithm}, increasing<float>(shape));
    check_derivatives({product}, Tensor<float>::full(shape, 1 + 1e-6F));
    check_derivatives({product}, uneven<float>(shape, 1, 1e-3F));
    check_values({sum, product, logarithm}, uneven<float>(shape, 1, 1e-3F));
    check_values({sum, logarithm}, increasing<float>(shape));
  };
  check({many}, 0);
  check({2, many / 4}, 1);
  check({many / 4, 3}, 0);
}

TEST_CASE("long sums: derivatives of scans in double are those of closed forms") {
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  const double few = 3 * epsilon * std::log2(many);
  const auto slopes = [](const auto& f, double at) {
    return derivatives_of<double>(f, Tensor<double>::full({many}, at));
  };

  // Of cumprod at a constant c: the sum of the c^(j - 1) over the j that entry k is a factor of.
  constexpr double c = 1 - 1e-5;
  const auto products = slopes([](const auto& x) { return cumprod(x, 0); }, c);
  // Of logcumsumexp at a constant: the sum of the 1 / j.
  const auto logarithms = slopes([](const auto& x) { return logcumsumexp(x, 0); }, 0.1);
  std::vector<double> in_product(many);
  std::vector<double> in_logarithm(many);
  long double harmonic = 0;
  for (Index k = many; k-- > 0;) {
    harmonic += 1 / static_cast<long double>(k + 1);
    const long double rate = std::log(static_cast<long double>(c));
    const long double product = std::exp(rate * static_cast<long double>(k)) *
                                -std::expm1(rate * static_cast<long double>(many - k)) /
                                -std::expm1(rate);
    in_product[static_cast<std::size_t>(k)] = static_cast<double>(product * 0.1F);
    in_logarithm[static_cast<std::size_t>(k)] = static_cast<double>(harmonic * 0.1F);
  }
  const auto worst = [](const Tensor<double>& got, const std::vector<double>& expected) {
    double error = 0;
    for (std::size_t k = 0; k < expected.size(); ++k)
      error = std::max(error, std::abs(got.data()[k] / expected[k] - 1));
    return error;
  };
  for (std::size_t route : {0, 1}) {
    CAPTURE(route);
    CHECK(worst(products[route], in_product) <= few);
    CHECK(worst(logarithms[route], in_logarithm) <= few);
  }
}

TEST_CASE("long sums: infinite and NaN terms show as in a plain sum") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const Shape& shape : {Shape{1, 1000}, Shape{1000, 1}, Shape{2, 1000}}) {
    Tape<float> tape;
    Tensor<float> numbers = Tensor<float>::ones(shape);
    numbers(0, 0) = inf;
    CHECK(sum(tape.input(numbers)).item() == inf);
    CHECK(sum(tape.input(numbers), {0}).value()(0) == inf);
    CHECK(sum(tape.input(numbers), {1}).value()(0) == inf);
    numbers(shape[0] - 1, shape[1] - 1) = -inf;
    CHECK(std::isnan(sum(tape.input(numbers)).item()));
    CHECK(cumsum(tape.input(numbers), 1).value()(0, 0) == inf);
  }
}

TEST_CASE("long sums: the trace of a large matrix") {
  Tape<float> tape;
  constexpr Index n = 3000;
  const Var<float> x = tape.input(Tensor<float>::full({n, n}, 0.1F));
  CHECK(std::abs(trace(x).item() / (0.1F * n) - 1) <= tolerance);
}

}  // namespace
}  // namespace fjord
