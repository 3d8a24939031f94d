#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

TEST_CASE("partial_pullback: inputs are independent, whatever they were computed from") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(0.6);
  const Var<double> y = square(x);
  const Var<double> f = x * y + sin(y);
  const Var<double> one = tape.scalar(1.0);
  const Vars<double> partial = partial_pullback<double>({f}, {one}, {x, y});
  CHECK(partial[0].item() == doctest::Approx(0.36));
  CHECK(partial[1].item() == doctest::Approx(0.6 + std::cos(0.36)));
  const Vars<double> total = pullback<double>({f}, {one}, {x, y});
  CHECK(total[0].item() == doctest::Approx(0.36 + (0.6 + std::cos(0.36)) * 1.2));
  CHECK(total[1].item() == doctest::Approx(partial[1].item()));
}

TEST_CASE("partial_pullback: it is the transpose of pushforward") {
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>{0.3, -1.2});
  const Var<double> y = tanh(x);
  const Var<double> f = x * y * y;
  const Vars<double> tangents{tape.input(Tensor<double>{0.7, 0.2}),
                              tape.input(Tensor<double>{-1.1, 0.4})};
  const Var<double> g = tape.input(Tensor<double>{1.3, -0.6});
  const double forward = sum(pushforward<double>({x, y}, tangents, {f})[0] * g).item();
  const Vars<double> back = partial_pullback<double>({f}, {g}, {x, y});
  const double reverse = (sum(back[0] * tangents[0]) + sum(back[1] * tangents[1])).item();
  CHECK(forward == doctest::Approx(reverse).epsilon(1e-14));
}

TEST_CASE("partial_pullback: an input that is an output gets its cotangent and passes nothing on") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(0.6);
  const Var<double> y = square(x);
  const Vars<double> g = partial_pullback<double>({y}, {tape.scalar(3.0)}, {x, y});
  CHECK(g[0].item() == 0);
  CHECK(g[1].item() == 3);
}

}  // namespace
}  // namespace fjord
