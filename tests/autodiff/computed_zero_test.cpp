// A zero that arithmetic gives silences no infinite slope: derivatives are right or NaN, by every
// route; and what a selection left out stays 0 on its way through all operations.
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/determinant.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/extreme.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/scan.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/autodiff/ops/sort.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/tests/support/routes.hpp"

namespace fjord {
namespace {

using test::Function;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Where arithmetic gives a zero and another factor is infinite, a sweep gives the right number or
// none.
struct Limit {
  std::string name;
  Function<double> f;
  Tensor<double> at;
  Tensor<double> gradient;
};

Var<double> log_det_by_slogdet(const Var<double>& a) {
  const auto det = [](const SignLogDet<double>& d) { return d.sign * exp(d.log_abs); };
  const Var<double> one = a.tape().input(Tensor<double>::identity(2));
  return log(abs(det(slogdet(a)) + det(slogdet(one))));
}

std::vector<Limit> limits() {
  return {
      {"product of roots", [](const auto& x) { return sqrt(x) * sqrt(x); }, {0}, {1}},
      {"square of a root", [](const auto& x) { return square(sqrt(x)); }, {0}, {1}},
      {"square of a cube root", [](const auto& x) { return square(cbrt(x)); }, {0}, {infinity}},
      {"square of an angle", [](const auto& x) { return square(acos(x)); }, {1}, {-2}},
      {"exponential of a logarithm", [](const auto& x) { return exp(log(x)); }, {0}, {1}},
      {"sum of exponentials", [](const auto& b) { return logsumexp(log(b)); }, {1, 0}, {1, 1}},
      {"weighted root", [](const auto& x) { return sqrt(x) * 0; }, {0}, {0}},
      {"masked by a weight",
       [](const auto& x) { return sum(sqrt(x) * (x > 0)); },
       {0, 1},
       {0, 0.5}},
      {"determinant of a singular matrix by its logarithm",
       log_det_by_slogdet,
       {{1, 2}, {2, 4}},
       {{4, -2}, {-2, 1}}},
      // The mirror: an infinite cotangent and a slope of 0.
      {"angle of a constant", [](const auto& x) { return acos(1 + 0 * x); }, {3}, {0}},
      {"root of an underflow", [](const auto& a) { return sqrt(a * std::exp(-877.0)); }, {1}, {0}},
      {"root of a size", [](const auto& x) { return sqrt(abs(x)); }, {0}, {infinity}},
      {"root of a part", [](const auto& x) { return sqrt(relu(x)); }, {0}, {infinity}},
      {"root of a length", [](const auto& x) { return sqrt(norm(x)); }, {0, 0}, {nan, nan}},
      {"root of a square", [](const auto& x) { return sqrt(square(x)); }, {0}, {nan}},
      {"length by squares", [](const auto& x) { return sqrt(sum_squares(x)); }, {0, 0}, {nan, nan}},
  };
}

TEST_CASE("computed zero: a computed zero silences nothing") {
  for (const Limit& limit : limits()) {
    CAPTURE(limit.name);
    const std::vector<double> right = limit.gradient.to_vector();
    for (std::size_t k = 0; k < right.size(); ++k) {
      std::vector<double> found;
      for (const std::string& route : test::routes(1)) {
        CAPTURE(route);
        found.push_back(test::derivative_by(route, limit.f, limit.at, {static_cast<Index>(k)}));
        CHECK((found.back() == right[k] || !std::isfinite(found.back())));
        CHECK((found.back() == found.front() || std::isnan(found.front())));
        CHECK(std::isnan(found.back()) == std::isnan(found.front()));
      }
    }
  }
}

// Second derivatives at a point where the first is a convention.
std::vector<Limit> hessians() {
  const Tensor<double> origin{0, 0};
  const Tensor<double> unknown{{nan, nan}, {nan, nan}};
  const Tensor<double> two{{2, 0}, {0, 2}};
  const auto matern_3 = [](const Var<double>& r) {
    const Var<double> s = r * std::sqrt(3.0);
    return (1 + s) * exp(-s);
  };
  const auto matern_5 = [](const Var<double>& r) {
    const Var<double> s = r * std::sqrt(5.0);
    return (1 + s + square(s) * (1.0 / 3)) * exp(-s);
  };
  const auto x = [](const Var<double>& v) { return slice(v, 0, 0, 1); };
  const auto y = [](const Var<double>& v) { return slice(v, 0, 1, 2); };
  return {
      {"norm", [](const auto& v) { return norm(v); }, origin, unknown},
      {"norm of order 3", [](const auto& v) { return norm(v, 3); }, origin, unknown},
      {"square of a norm", [](const auto& v) { return square(norm(v)); }, origin, two},
      {"root of squares", [](const auto& v) { return sqrt(sum_squares(v)); }, origin, unknown},
      {"hypot", [=](const auto& v) { return sum(hypot(x(v), y(v))); }, origin, unknown},
      {"square of hypot", [=](const auto& v) { return sum(square(hypot(x(v), y(v)))); }, origin,
       two},
      {"standard deviation", [](const auto& v) { return standard_deviation(v); }, origin, unknown},
      {"root mean square", [](const auto& v) { return sqrt(mean(square(v))); }, origin, unknown},
      {"Matern 3/2", [=](const auto& v) { return matern_3(norm(v)); }, origin, {{-3, 0}, {0, -3}}},
      {"Matern 5/2",
       [=](const auto& v) { return matern_5(norm(v)); },
       origin,
       {{-5.0 / 3, 0}, {0, -5.0 / 3}}},
      {"Matern 5/2 by squares",
       [=](const auto& v) { return matern_5(sqrt(sum_squares(v))); },
       origin,
       {{-5.0 / 3, 0}, {0, -5.0 / 3}}},
      {"distance to a point",
       [](const auto& v) {
         return norm(v - v.tape().input({1, 2}));
       },
       {1, 2},
       unknown},
      {"entropy",
       [](const auto& v) { return sum(xlogy(v, v)); },
       origin,
       {{infinity, 0}, {0, infinity}}},
      {"power", [=](const auto& v) { return sum(pow(x(v), y(v))); }, origin, {{0, nan}, {nan, 0}}},
      // All that follows is masked.
      {"norm from below",
       [](const auto& v) { return maximum(norm(v), 1e-10); },
       origin,
       {{0, 0}, {0, 0}}},
      {"root of squares from below",
       [](const auto& v) { return maximum(sqrt(sum_squares(v)), 1e-10); },
       origin,
       {{0, 0}, {0, 0}}},
      {"hypot from below",
       [=](const auto& v) { return sum(maximum(hypot(x(v), y(v)), 1e-10)); },
       origin,
       {{0, 0}, {0, 0}}},
  };
}

TEST_CASE("computed zero: second derivatives at a convention are right or NaN") {
  for (const Limit& limit : hessians()) {
    CAPTURE(limit.name);
    const std::vector<double> right = limit.gradient.to_vector();
    const auto size = limit.at.size();
    for (std::size_t k = 0; k < right.size(); ++k) {
      const auto at = static_cast<Index>(k);
      for (const std::string& route : test::routes(2)) {
        CAPTURE(route);
        CAPTURE(k);
        const double found = test::derivative_by(route, limit.f, limit.at, {at / size, at % size});
        CHECK((found == right[k] || !std::isfinite(found)));
        if (limit.name.ends_with("from below")) CHECK(found == 0);
      }
    }
  }
}

struct NamedFunction {
  std::string name;
  Function<double> f;
};

TEST_CASE("computed zero: masks pass through products of matrices, sums, solves and layers") {
  // The root's slope is infinite at 0; the row that it is in is not chosen.
  const Tensor<double> at{{0, 0}, {1, 4}, {9, 16}};
  const Tensor<double> weight{{1, -2}, {3, 0.5}};
  const auto chosen = [](const Var<double>& y) {
    return sum(where(y.tape().input({{0}, {1}, {1}}), y, y.tape().scalar(0)));
  };
  const std::vector<NamedFunction> through{
      {"product", [&](const Var<double>& x) { return matmul(x, x.tape().input(weight)); }},
      {"transposed",
       [&](const Var<double>& x) {
         return swap_axes(matmul(x.tape().input(weight), swap_axes(x, 0, 1)), 0, 1);
       }},
      {"batch",
       [&](const Var<double>& x) {
         return reshape(
             matmul(reshape(x, {3, 1, 2}), x.tape().input(Tensor<double>::ones({3, 2, 2}))),
             {3, 2});
       }},
      {"affine",
       [&](const Var<double>& x) {
         return affine(x, x.tape().input(weight), x.tape().input({1, 2}));
       }},
      {"tanh_affine",
       [&](const Var<double>& x) {
         return tanh_affine(x, x.tape().input(weight), x.tape().input({1, 2}));
       }},
      {"solve",
       [&](const Var<double>& x) {
         return swap_axes(solve(x.tape().input(weight), swap_axes(x, 0, 1)), 0, 1);
       }},
      {"triangular_solve",
       [&](const Var<double>& x) {
         return swap_axes(triangular_solve(x.tape().input(weight), swap_axes(x, 0, 1)), 0, 1);
       }},
      {"mean", [](const Var<double>& x) { return mean(x, {1}, true); }},
      {"softmax", [](const Var<double>& x) { return softmax(x); }},
      {"logsumexp", [](const Var<double>& x) { return logsumexp(x, {1}, true); }},
      {"cumsum", [](const Var<double>& x) { return cumsum(x, 1); }},
      {"cumprod", [](const Var<double>& x) { return cumprod(x, 1); }},
      {"sort", [](const Var<double>& x) { return sort(x, 1); }},
      {"max", [](const Var<double>& x) { return max(x, {1}, true); }},
      {"norm", [](const Var<double>& x) { return norm(x, {1}, true); }},
      {"negative", [](const Var<double>& x) { return -x; }},
      {"difference", [](const Var<double>& x) { return 1 - x * -3; }},
      {"quotient", [](const Var<double>& x) { return x / -7; }},
      {"reshaped",
       [](const Var<double>& x) {
         return reshape(reshape(x, {6}), {3, 2});
       }},
  };
  for (const NamedFunction& function : through) {
    CAPTURE(function.name);
    for (const std::string& route : test::routes(1)) {
      CAPTURE(route);
      const auto whole = [&](const Var<double>& x) { return chosen(function.f(sqrt(x))); };
      CHECK(test::derivative_by(route, whole, at, {0}) == 0);
      CHECK(std::isfinite(test::derivative_by(route, whole, at, {3})));
      const auto half = [&](const Var<double>& x) { return chosen(function.f(sqrt(x) * 0.5)); };
      CHECK(test::derivative_by(route, half, at, {1}) == 0);
    }
    for (const std::string& route : test::routes(2)) {
      CAPTURE(route);
      const auto whole = [&](const Var<double>& x) { return chosen(function.f(sqrt(x))); };
      CHECK(test::derivative_by(route, whole, at, {0, 0}) == 0);
      CHECK(test::derivative_by(route, whole, at, {0, 3}) == 0);
    }
  }
}

TEST_CASE("computed zero: the numbers that users get carry no marks") {
  Tape<double> tape;
  const Var<double> x = tape.input({-1, 2});
  const Var<double> y = sum(relu(x));
  const auto is_mark = [](double number) { return number == 0 && std::signbit(number); };
  CHECK_FALSE(is_mark(gradient_values<double>(y, std::span(&x, 1))[0](0)));
  CHECK_FALSE(is_mark(pullback<double>({y}, {tape.scalar(1)}, {x})[0].value()(0)));
  const Tensor<double> tangent = pushforward_values<double>({x}, {tape.input({1, 0})}, {y})[0];
  CHECK_FALSE(is_mark(tangent.item()));
  // Nothing depends on what is not there.
  const Var<double> other = tape.input({1, 2});
  CHECK_FALSE(is_mark(gradient_values<double>(y, std::span(&other, 1))[0](0)));
}

}  // namespace
}  // namespace fjord
