// Outside cases of reductions, scans, normalisation and losses, many of which other systems get
// wrong: each number by every route that leads to it.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/extreme.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/loss.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/normalize.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/scan.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/tests/support/routes.hpp"

namespace fjord {
namespace {

using test::Function;
using test::wrong_route;
using V = Var<double>;
using Numbers = Tensor<double>;

constexpr double inf = std::numeric_limits<double>::infinity();

/// A function of a tensor with its gradient and Hessian at a point; a zero is to be met exactly.
struct Case {
  std::string name;
  Function<double> f;
  Numbers at;
  double value;
  Numbers gradient;
  Numbers hessian;
  double tolerance = 1e-13;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Tape<double> tape;
    const double value = c.f(tape.input(c.at)).item();
    CAPTURE(value);
    CHECK((value == c.value || std::abs(value - c.value) <= c.tolerance * std::abs(c.value)));
    CHECK(wrong_route(c.f, c.at, 1, c.gradient, c.tolerance) == "");
    CHECK(wrong_route(c.f, c.at, 2, c.hessian, c.tolerance) == "");
  }
}

V first(const V& x) {
  return slice(x, 0, 0, 1);
}

TEST_CASE("conformance_reduce: second derivatives of normalisation go through mean and variance") {
  // (t, 0) normalises to +-t / sqrt(t^2 + 4 eps), so with weights 1 and 2 the sum is
  // -t / sqrt(1 + t^2), f' = -(1 + t^2)^(-3/2) and f'' = 3 t (1 + t^2)^(-5/2).
  const double gradient = -std::pow(1.49, -1.5);
  const auto pair = [](const V& t) { return t * t.tape().input({1, 0}); };
  check({{"layer_norm",
          [&](const V& t) {
            Tape<double>& tape = t.tape();
            return sum(layer_norm(pair(t), tape.input({1, 2}), tape.input({0, 0}), 0.25));
          },
          Numbers(0.7), -0.7 / std::sqrt(1.49), Numbers(gradient), Numbers(0.7749142079590942)},
         {"batch_norm",
          [&](const V& t) {
            Tape<double>& tape = t.tape();
            const V weights = tape.input({1, 2});
            return sum(batch_norm(pair(t), tape.scalar(1), tape.scalar(0), 0.25) * weights);
          },
          Numbers(0.7), -0.7 / std::sqrt(1.49), Numbers(gradient), Numbers(0.7749142079590942)}});
}

TEST_CASE("conformance_reduce: second derivatives of products are right, at zeros too") {
  const Function<double> rows = [](const V& t) {
    Tape<double>& tape = t.tape();
    const V x = t * tape.input({{1, 1, -1}, {1, 2, 1}}) + tape.input({{0, 1, 2}, {-1, 1, 3}});
    return sum(cumprod(x, 1) * tape.input({{1, 2, 3}, {4, 5, 6}}));
  };
  const Function<double> product = [](const V& x) { return prod(x); };
  const Function<double> running = [](const V& x) { return sum(cumprod(x, 0)); };
  check(
      {{"rows of running products", rows, Numbers(1.0), 11, Numbers(101.0), Numbers(144.0)},
       {"one zero", product, {2, 0, 5}, 0, {0, 10, 0}, {{0, 5, 0}, {5, 0, 2}, {0, 2, 0}}},
       {"two zeros", product, {0, 3, 0}, 0, {0, 0, 0}, {{0, 0, 3}, {0, 0, 0}, {3, 0, 0}}},
       // a + a b + a b c.
       {"a zero in front", running, {0, 3, 5}, 0, {19, 0, 0}, {{0, 6, 3}, {6, 0, 0}, {3, 0, 0}}},
       {"two zeros behind", running, {2, 0, 0}, 2, {1, 2, 0}, {{0, 1, 0}, {1, 0, 2}, {0, 2, 0}}}});
}

TEST_CASE("conformance_reduce: a term of -inf weighs nothing in any derivative") {
  const Function<double> all = [](const V& x) { return logsumexp(x); };
  const Function<double> last = [](const V& x) {
    return slice(logcumsumexp(x, 0), 0, x.shape()[0] - 1, x.shape()[0]);
  };
  const Numbers none = Numbers::zeros({2, 2});
  const Numbers quarters{{0, 0, 0}, {0, 0.25, -0.25}, {0, -0.25, 0.25}};
  const double two = std::log(2);
  check({{"logsumexp", all, {-inf, 0, 0}, two, {0, 0.5, 0.5}, quarters},
         {"logsumexp of huge terms", all, {0, 1e9, 1e9}, 1e9 + two, {0, 0.5, 0.5}, quarters},
         {"logsumexp of -inf alone", all, {-inf, -inf}, -inf, {0, 0}, none},
         {"logcumsumexp", last, {-inf, 0, 0}, two, {0, 0.5, 0.5}, quarters},
         {"logcumsumexp of -inf alone", last, {-inf, -inf}, -inf, {0, 0}, none},
         {"softmax",
          [](const V& x) { return slice(softmax(x), 0, 1, 2); },
          {-inf, 0, 0},
          0.5,
          {0, 0.25, -0.25},
          Numbers::zeros({3, 3})}});
}

TEST_CASE("conformance_reduce: where one term is nearly all, the others keep their digits") {
  // With q = e^-40 beside 1, log p = -log1p(q), dp = p q / (1 + q), ...
  const double q = 4.248354255291589e-18;
  const Numbers slope{q, -q};
  const Numbers curvature{{-q, q}, {q, -q}};
  const Numbers upward{{q, -q}, {-q, q}};
  check({{"logsumexp", [](const V& x) { return logsumexp(x); }, {0, -40}, q, {1, q}, upward},
         {"log_softmax",
          [](const V& x) { return first(log_softmax(x)); },
          {0, -40},
          -q,
          slope,
          curvature},
         {"softmax", [](const V& x) { return first(softmax(x)); }, {0, -40}, 1, slope, curvature},
         {"softmax, least",
          [](const V& x) { return slice(softmax(x), 0, 1, 2); },
          {0, -40},
          q,
          {-q, q},
          upward},
         {"cross_entropy",
          [](const V& x) { return cross_entropy(x, Tensor<Index>(0)); },
          {0, -40},
          q,
          {-q, q},
          upward},
         {"logcumsumexp",
          [](const V& x) { return slice(logcumsumexp(x, 0), 0, 1, 2); },
          {0, -40},
          q,
          {1, q},
          upward}});
}

TEST_CASE("conformance_reduce: lengths have derivatives at 0, and at any size") {
  const Function<double> length = [](const V& x) { return norm(x); };
  const Function<double> deviation = [](const V& x) { return standard_deviation(x); };
  // The slope at 0 is a convention, of which no derivative is known.
  const Numbers none = Numbers::full({2, 2}, std::numeric_limits<double>::quiet_NaN());
  // The Hessian is (1 - u u^T) / y with the direction u = (0.6, 0.8).
  const auto hessian = [](double y) {
    return Numbers{{0.64 / y, -0.48 / y}, {-0.48 / y, 0.36 / y}};
  };
  check({{"norm", length, {3, 4}, 5, {0.6, 0.8}, hessian(5)},
         {"norm at 0", length, {0, 0}, 0, {0, 0}, none},
         {"huge norm", length, {3e250, 4e250}, 5e250, {0.6, 0.8}, hessian(5e250)},
         {"tiny norm", length, {3e-250, 4e-250}, 5e-250, {0.6, 0.8}, hessian(5e-250)},
         {"equal entries", deviation, {3, 3}, 0, {0, 0}, none},
         // For x < y the deviation is (y - x) / 2.
         {"variance",
          [](const V& x) { return variance(x); },
          {1, 4},
          2.25,
          {-1.5, 1.5},
          {{0.5, -0.5}, {-0.5, 0.5}}}});
}

TEST_CASE("conformance_reduce: ties share, and are constants to the next derivative") {
  const double third = 1.0 / 3;
  check({{"max",
          [](const V& x) { return square(max(x)); },
          {2, 1, 2},
          4,
          {2, 0, 2},
          {{0.5, 0, 0.5}, {0, 0, 0}, {0.5, 0, 0.5}}},
         {"min of equals",
          [](const V& x) { return min(x); },
          {1, 1, 1},
          1,
          {third, third, third},
          Numbers::zeros({3, 3})},
         {"huber",
          [](const V& x) {
            return huber(x, x.tape().input({0, 0}), 1);
          },
          {0.5, 3},
          (0.125 + 2.5) / 2,
          {0.25, 0.5},
          {{0.5, 0}, {0, 0}}}});
}

TEST_CASE("conformance_reduce: k-means has the same derivatives by least distance and by choice") {
  const Numbers points{{0, 0}, {1, 0}, {4, 4}, {5, 5}, {4, 6}};
  const Function<double> least = [&](const V& centres) {
    const V x = reshape(centres.tape().input(points), {5, 1, 2});
    return sum(min(sum(square(x - centres), {2}), {1}));
  };
  const Function<double> chosen = [&](const V& centres) {
    const V x = centres.tape().input(points);
    const V distances = sum(square(reshape(x, {5, 1, 2}) - centres), {2});
    return sum(square(x - take(centres, argmin(distances, 1), 0)));
  };
  // Each centre's gradient is 2 (count centre - sum of its points), and its Hessian 2 count.
  Numbers hessian = Numbers::zeros({4, 4});
  for (Index i = 0; i < 4; ++i) hessian(i, i) = i < 2 ? 4 : 6;
  const Numbers at{{1, 1}, {4, 5}};
  check({{"least distance", least, at, 6, {{2, 4}, {-2, 0}}, hessian},
         {"distance to the chosen", chosen, at, 6, {{2, 4}, {-2, 0}}, hessian}});
}

}  // namespace
}  // namespace fjord
