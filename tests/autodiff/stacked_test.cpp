// Several tangents in one forward sweep: [B, D] -> [B, K, D].
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/operation.hpp"
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
#include "fjord/tests/support/probe.hpp"

namespace fjord {
namespace {

using test::Probe;
using test::ProbeState;

Tensor<double> draw(const Shape& shape, std::uint64_t seed) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  RandomKey(seed).normal(numbers.storage());
  return numbers;
}

// Tangent k of a stack, by its strides alone.
Tensor<double> tangent_at(const TensorView<double>& stack, const Shape& shape, Index k) {
  const auto axis = static_cast<std::size_t>(stacking_axis(shape.rank()));
  std::vector<Index> strides;
  for (std::size_t i = 0; i <= shape.rank(); ++i) {
    if (i != axis) strides.push_back(stack.stride(i));
  }
  return Tensor<double>(TensorView<double>(stack.data() + k * stack.stride(axis), shape, strides));
}

TEST_CASE("stacked: the new axis is the second-last, and the last for ranks 0 and 1") {
  CHECK(stacked_shape({}, 7) == Shape{7});
  CHECK(stacked_shape({2}, 7) == Shape{2, 7});
  CHECK(stacked_shape({2, 3}, 7) == Shape{2, 7, 3});
  CHECK(stacked_shape({2, 3, 4}, 7) == Shape{2, 3, 7, 4});
  CHECK(stacked_shape({2, 3, 4, 5}, 0) == Shape{2, 3, 4, 0, 5});
}

TEST_CASE("stacked: every tangent is multiplied with the one slope of its entry") {
  Tape<double> tape;
  const Tensor<double> at{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> tangents = draw({2, 4, 3}, 1);
  const Var<double> x = tape.input(at);
  const Var<double> moved = pushforward(x, tape.input(tangents), x * x * x);
  REQUIRE(moved.shape() == Shape{2, 4, 3});
  for (Index b = 0; b < 2; ++b) {
    for (Index k = 0; k < 4; ++k) {
      for (Index d = 0; d < 3; ++d) {
        const double expected = 3 * at(b, d) * at(b, d) * tangents(b, k, d);
        CHECK(std::abs(moved.value()(b, k, d) - expected) < 1e-13 * std::abs(expected));
      }
    }
  }
}

using V = Var<double>;

struct Case {
  std::string name;
  Shape shape;
  std::function<V(const V&)> f;
};

// Functions of every rank, with operations that take a stack at once, and others that do not.
std::vector<Case> cases_of_numbers_and_vectors() {
  return {
      {"rank 0", {}, [](const V& x) { return exp(x) * sin(x) + tanh(x) / x; }},
      {"rank 0 to 2",
       {},
       [](const V& x) {
         return broadcast_to(x * x, {2, 3}) * x;
       }},
      {"rank 0 to 1", {}, [](const V& x) { return broadcast_to(exp(x), {3}); }},
      {"rank 1", {4}, [](const V& x) { return sigmoid(x) * x + square(x) * 3 - 1; }},
      {"rank 1 to 0", {4}, [](const V& x) { return sum(x * x) * mean(x); }},
      {"rank 1 to 2",
       {3},
       [](const V& x) {
         return x * broadcast_to(cos(x), {2, 3});
       }},
      {"rank 1, joined",
       {4},
       [](const V& x) {
         return concatenate({x, x * x}, 0);
       }},
      {"rank 1, cut", {4}, [](const V& x) { return slice(exp(x), 0, 1, 3); }},
  };
}

std::vector<Case> cases_of_matrices(ProbeState& state) {
  return {
      {"rank 2", {2, 3}, [](const V& x) { return softplus(x) * x - gelu(x); }},
      {"rank 2, cut and joined",
       {2, 3},
       [](const V& x) {
         return concatenate({slice(x, 0, 0, 1) * 2, concatenate({x, x}, 0)}, 0);
       }},
      {"rank 2, columns cut and joined",
       {2, 3},
       [](const V& x) {
         return concatenate({slice(x * x, 1, 0, 2), x}, 1);
       }},
      {"rank 2, reshaped",
       {2, 3},
       [](const V& x) {
         return reshape(x * x, {3, 2}) * 2;
       }},
      {"rank 2, turned",
       {2, 3},
       [](const V& x) { return swap_axes(x, 0, 1) * x.tape().scalar(2); }},
      {"rank 2, sums", {2, 3}, [](const V& x) { return x / sum(exp(x), {1}, true); }},
      {"rank 2, rows against columns",
       {2, 3},
       [](const V& x) { return slice(x, 0, 0, 1) * slice(x, 1, 0, 1); }},
      {"rank 2, trace", {3, 3}, [](const V& x) { return trace(x) * x; }},
      {"rank 2, product", {3, 3}, [](const V& x) { return matmul(x, x); }},
      {"rank 2, product with a constant",
       {2, 3},
       [](const V& x) {
         return matmul(tanh(x), x.tape().input(draw({3, 2}, 5)));
       }},
      {"rank 2, a layer in all its arguments",
       {3, 3},
       [](const V& x) { return affine(x, x * 2, sum(x, {0})); }},
      {"rank 2, choice", {2, 3}, [](const V& x) { return where(x > 0, x * x, -x); }},
      {"rank 2, step",
       {2, 3},
       [](const V& x) {
         const std::array<double, 2> weights{0.5, 2};
         const std::array<V, 2> terms{x * x, exp(x)};
         return add_combination<double>(x, mean(x), weights, terms);
       }},
      {"rank 2, one tangent at a time",
       {2, 3},
       [&state](const V& x) { return Probe::apply(Probe::apply(x, state) * x, state); }},
      {"empty", {0, 3}, [](const V& x) { return exp(x) * x; }},
      {"empty sum", {3, 0}, [](const V& x) { return sum(exp(x), {1}); }},
      {"size 1", {1, 1}, [](const V& x) { return exp(x) * x; }},
  };
}

std::vector<Case> cases_of_rank_3() {
  return {
      {"rank 3", {2, 3, 2}, [](const V& x) { return tanh(x) * x + sum(x, {1}, true); }},
      {"rank 3, product",
       {2, 3, 2},
       [](const V& x) {
         return matmul(x * x, x.tape().input(draw({2, 4}, 6)));
       }},
      {"rank 3, cut",
       {2, 3, 2},
       [](const V& x) {
         return concatenate({slice(x, 0, 0, 1), slice(x, 0, 1, 2) * 2, exp(x)}, 0);
       }},
      {"rank 3 to 1",
       {2, 3, 2},
       [](const V& x) {
         return trace(x) + sum(x, {1, 2});
       }},
  };
}

std::vector<Case> cases(ProbeState& state) {
  std::vector<Case> all = cases_of_numbers_and_vectors();
  for (const std::vector<Case>& more : {cases_of_matrices(state), cases_of_rank_3()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_CASE("stacked: K tangents at once give what each gives alone") {
  ProbeState state;
  for (const Case& c : cases(state)) {
    for (const Index count : {1, 2, 5}) {
      CAPTURE(c.name);
      CAPTURE(count);
      Tape<double> tape;
      const Var<double> x = tape.input(draw(c.shape, 20));
      const Var<double> y = c.f(x);
      const Var<double> stack = tape.input(draw(stacked_shape(c.shape, count), 21));
      const Var<double> moved = pushforward(x, stack, y);
      REQUIRE(to_string(moved.shape()) == to_string(stacked_shape(y.shape(), count)));
      for (Index k = 0; k < count; ++k) {
        const Var<double> alone =
            pushforward(x, tape.input(tangent_at(stack.value(), c.shape, k)), y);
        const Tensor<double> got = tangent_at(moved.value(), y.shape(), k);
        const Tensor<double> expected(alone.value());
        for (std::size_t i = 0; i < got.storage().size(); ++i) {
          const double a = got.storage()[i];
          const double b = expected.storage()[i];
          CHECK(std::abs(a - b) <= 1e-13 * std::max(1.0, std::abs(b)));
        }
      }
    }
  }
  CHECK(state.forward > 0);
}

TEST_CASE("stacked: both sweeps run over a stacked one") {
  // For y = f(x) entry by entry, the sum over D of the unit tangents' own entries is the divergence
  // sum f'(x), whose derivative in x is f''(x).
  Tape<double> tape;
  const Var<double> x = tape.input(draw({4, 3}, 1));
  Tensor<double> units = Tensor<double>::zeros({4, 3, 3});
  for (Index b = 0; b < 4; ++b) {
    for (Index d = 0; d < 3; ++d) units(b, d, d) = 1;
  }
  const Var<double> divergence = trace(pushforward(x, tape.input(units), sin(x)));
  const Var<double> total = sum(divergence);
  const Tensor<double> gradient(gradient_values<double>(total, std::span(&x, 1))[0]);
  const Tensor<double> recorded(pullback<double>({total}, {tape.scalar(1)}, {x})[0].value());
  const Tensor<double> numbers(x.value());
  const Var<double> stack = tape.input(draw({4, 2, 3}, 2));
  const TensorView<double> tangents = stack.value();
  const TensorView<double> again = pushforward(x, stack, divergence).value();
  for (Index b = 0; b < 4; ++b) {
    double trace_of_cosines = 0;
    for (Index d = 0; d < 3; ++d) {
      trace_of_cosines += std::cos(numbers(b, d));
      CHECK(std::abs(gradient(b, d) + std::sin(numbers(b, d))) < 1e-14);
      CHECK(std::abs(recorded(b, d) + std::sin(numbers(b, d))) < 1e-14);
    }
    CHECK(std::abs(divergence.value()(b) - trace_of_cosines) < 1e-14);
    for (Index k = 0; k < 2; ++k) {
      double expected = 0;
      for (Index d = 0; d < 3; ++d) expected -= std::sin(numbers(b, d)) * tangents(b, k, d);
      CHECK(std::abs(again(b, k) - expected) < 1e-13);
    }
  }
}

TEST_CASE("stacked: an output that is not reached, or is the input, has stacked results") {
  Tape<double> tape;
  const Var<double> old = tape.input({1, 2, 3});
  const Var<double> x = tape.input(draw({2, 3}, 1));
  const Var<double> y = exp(x);
  const Var<double> unused = tape.input({1, 2, 3});
  const Tensor<double> tangents = draw({2, 4, 3}, 2);
  const Vars<double> moved = pushforward<double>({x}, {tape.input(tangents)}, {old, x, y, unused});
  CHECK(Tensor<double>(moved[0].value()) == Tensor<double>::zeros({3, 4}));
  CHECK(Tensor<double>(moved[1].value()) == tangents);
  CHECK(moved[2].shape() == Shape{2, 4, 3});
  CHECK(Tensor<double>(moved[3].value()) == Tensor<double>::zeros({3, 4}));
}

TEST_CASE("stacked: a stack of no tangents gives a stack of none") {
  ProbeState state;
  for (const Case& c : cases(state)) {
    CAPTURE(c.name);
    Tape<double> tape;
    const Var<double> x = tape.input(draw(c.shape, 20));
    const Var<double> y = c.f(x);
    const Var<double> none = tape.input(Tensor<double>::zeros(stacked_shape(c.shape, 0)));
    CHECK(to_string(pushforward(x, none, y).shape()) == to_string(stacked_shape(y.shape(), 0)));
  }
}

TEST_CASE("stacked: several inputs are stacked alike") {
  Tape<double> tape;
  const Var<double> x = tape.input({{1, 2}, {3, 4}});
  const Var<double> bias = tape.input({5, 6});
  const Var<double> y = x * bias;
  const Var<double> of_x = tape.input(draw({2, 3, 2}, 1));
  const Var<double> of_bias = tape.input(draw({2, 3}, 2));  // the last axis for rank 1
  const TensorView<double> moved = pushforward<double>({x, bias}, {of_x, of_bias}, {y})[0].value();
  for (Index b = 0; b < 2; ++b) {
    for (Index k = 0; k < 3; ++k) {
      for (Index d = 0; d < 2; ++d) {
        const double expected =
            of_x.value()(b, k, d) * bias.value()(d) + x.value()(b, d) * of_bias.value()(d, k);
        CHECK(std::abs(moved(b, k, d) - expected) < 1e-14);
      }
    }
  }
  constexpr const char* alike = "[pushforward] all tangents must be stacked alike";
  const Var<double> single = tape.input({1, 2});
  const Var<double> two = tape.input(draw({2, 2}, 3));
  const auto push = [&](const Var<double>& a, const Var<double>& b) {
    pushforward<double>({x, bias}, {a, b}, {y});
  };
  CHECK_THROWS_WITH_AS(push(of_x, single), alike, std::invalid_argument);
  CHECK_THROWS_WITH_AS(push(of_x, two), alike, std::invalid_argument);
  CHECK_THROWS_WITH_AS(push(two, of_bias), alike, std::invalid_argument);
  const Var<double> wrong = tape.input(draw({3, 2, 2}, 4));
  CHECK_THROWS_WITH_AS(
      push(wrong, of_bias),
      "[pushforward] a derivative must have the shape of its variable, [2, 2], got [3, 2, 2]",
      std::invalid_argument);
}

}  // namespace
}  // namespace fjord
