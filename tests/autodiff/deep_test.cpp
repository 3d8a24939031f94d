// Long recordings: deep graphs, many rounds, flat memory.
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

TEST_CASE("deep: a chain of a million nodes has the right derivatives in every mode") {
  constexpr int length = 1'000'000;
  Tape<double> tape;
  const Var<double> x = tape.scalar(0.5);
  const Var<double> one = tape.scalar(1);
  Var<double> y = x;
  for (int i = 0; i < length; ++i) y = y + x;
  CHECK(y.item() == 0.5 * (length + 1));
  CHECK(gradient_values<double>(y, std::span(&x, 1))[0].item() == length + 1);
  const Tape<double>::Mark mark = tape.mark();
  CHECK(pullback<double>({y}, {one}, {x})[0].item() == length + 1);
  tape.rewind(mark);
  CHECK(pushforward(x, one, y).item() == length + 1);
}

TEST_CASE("deep: a long chain of products has the right second derivative") {
  // x^n by repeated products: n (n - 1) x^(n - 2) at x = 1.
  constexpr int n = 2000;
  Tape<double> tape;
  const Var<double> x = tape.scalar(1);
  const Var<double> one = tape.scalar(1);
  Var<double> y = x;
  for (int i = 1; i < n; ++i) y = y * x;
  const Var<double> reverse = pullback<double>({y}, {one}, {x})[0];
  const Var<double> forward = pushforward(x, one, y);
  CHECK(reverse.item() == n);
  CHECK(forward.item() == n);
  for (const Var<double>& slope : {reverse, forward}) {
    CHECK(gradient_values<double>(slope, std::span(&x, 1))[0].item() == n * (n - 1.0));
    CHECK(pushforward(x, one, slope).item() == n * (n - 1.0));
  }
}

TEST_CASE("deep: x = x + x sixty times takes sixty steps, not two to the sixtieth") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(3);
  const Var<double> one = tape.scalar(1);
  Var<double> y = x;
  for (int i = 0; i < 60; ++i) y = y + y;
  const double power = std::ldexp(1.0, 60);
  CHECK(y.item() == 3 * power);
  CHECK(gradient_values<double>(y, std::span(&x, 1))[0].item() == power);
  const std::size_t before = tape.size();
  CHECK(pullback<double>({y}, {one}, {x})[0].item() == power);
  CHECK(pushforward(x, one, y).item() == power);
  CHECK(tape.size() - before < 300);
}

TEST_CASE("deep: memory is flat over a hundred thousand rounds of recording and sweeping") {
  Tape<double> tape;
  Parameter<double> weight(Tensor<double>{{0.5, -1}, {2, 0.25}});
  const Tensor<double> numbers{{1, 2}, {-1, 0.5}};
  const auto round = [&] {
    const Var<double> w = tape.bind(weight);
    const Var<double> x = tape.borrow(numbers);
    const Var<double> h = tanh(matmul(x, w));
    // One operation whose sweep of values goes through its recorded rule, and an inner sweep.
    const Var<double> chosen = where(h > 0, h, h * 0.5);
    const Var<double> slope = pushforward(x, x, chosen);
    const Var<double> loss = sum(square(slope)) + mean(chosen);
    const double result = gradient_values<double>(loss, std::span(&w, 1))[0](0, 1);
    tape.clear();
    return result;
  };
  const double first = round();
  const std::size_t grown = tape.capacity();
  bool same = true;
  for (int i = 0; i < 100'000; ++i) same &= round() == first;
  CHECK(same);
  CHECK(tape.capacity() == grown);
}

TEST_CASE("deep: memory is flat when rounds rewind to a mark above nodes that stay") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(2);
  const Var<double> y = exp(x) * x;
  const Tape<double>::Mark mark = tape.mark();
  std::size_t grown = 0;
  for (int i = 0; i < 1000; ++i) {
    const Var<double> slope = pullback<double>({y}, {tape.scalar(1)}, {x})[0];
    CHECK(slope.item() == doctest::Approx(3 * std::exp(2.0)).epsilon(1e-14));
    tape.rewind(mark);
    if (i == 0) grown = tape.capacity();
  }
  CHECK(tape.capacity() == grown);
}

}  // namespace
}  // namespace fjord
