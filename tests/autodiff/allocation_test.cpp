#include <doctest/doctest.h>

#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/extreme.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/sort.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/tests/support/counted_new.hpp"
#include "fjord/tests/support/objectives.hpp"

namespace fjord {
namespace {

// Allocations of the rounds after the first two.
template <class Round>
std::size_t steady_allocations(Round round) {
  round();
  round();
  const std::size_t before = test::allocations();
  for (int i = 0; i < 10; ++i) round();
  return test::allocations() - before;
}

struct Network {
  Parameter<float> weight{Tensor<float>::full({8, 8}, 0.1F)};
  Parameter<float> bias{Tensor<float>::full({8}, 0.2F)};
  Tensor<float> batch = Tensor<float>::full({64, 8}, 0.5F);
  Tape<float> tape;

  Var<float> layer(const Var<float>& x) {
    return tanh(affine(x, tape.bind(weight), tape.bind(bias)));
  }

  // Records, takes the gradient in both parameters, and clears.
  template <class Loss>
  void train(Loss loss) {
    const Var<float> y = loss(tape.borrow(batch));
    const std::array<Var<float>, 2> inputs{tape.bind(weight), tape.bind(bias)};
    static_cast<void>(gradient_values<float>(y, inputs));
    tape.clear();
  }
};

TEST_CASE("allocation: the counter counts") {
  const std::size_t before = test::allocations();
  const Tensor<float> tensor = Tensor<float>::zeros({100});
  CHECK(tensor.size() == 100);
  CHECK(test::allocations() > before);
}

TEST_CASE("allocation: a training step of a network takes none once it has run") {
  Network net;
  CHECK(steady_allocations([&] {
          net.train([&](const Var<float>& x) {
            return mean(square(net.layer(net.layer(net.layer(x)))));
          });
        }) == 0);
}

TEST_CASE("allocation: none by any operation that moves, chooses or sums entries") {
  Network net;
  CHECK(steady_allocations([&] {
          net.train([&](const Var<float>& x) {
            const Var<float> h = net.layer(x);
            const Var<float> cut = concatenate({slice(h, 1, 0, 4), slice(h, 1, 2, 6)}, 1);
            const Var<float> turned = swap_axes(reshape(cut, {8, 64}), 0, 1);
            const Var<float> chosen = where(turned > 0, turned, turned / (turned - 2));
            const Var<float> rows = sum(chosen, {1}, true) * chosen + sum(chosen, {0});
            return trace(matmul(swap_axes(rows, 0, 1), h)) + sum(gelu(rows));
          });
        }) == 0);
}

TEST_CASE("allocation: none by a trace from stacked tangents and its gradient") {
  Network net;
  Tensor<float> units = Tensor<float>::zeros({64, 8, 8});
  for (Index b = 0; b < 64; ++b) {
    for (Index d = 0; d < 8; ++d) units(b, d, d) = 1;
  }
  CHECK(steady_allocations([&] {
          net.train([&](const Var<float>& x) {
            const Var<float> in = identity(x);
            const Var<float> y = net.layer(net.layer(in));
            return sum(trace(pushforward(in, net.tape.borrow(units), y))) + sum(square(y));
          });
        }) == 0);
}

TEST_CASE("allocation: none by operations that the sweeps take one tangent at a time") {
  Network net;
  const Tensor<float> tangents = Tensor<float>::ones({64, 3, 8});
  CHECK(steady_allocations([&] {
          net.train([&](const Var<float>& x) {
            const Var<float> in = identity(x);
            const Var<float> h = net.layer(in);
            const Var<float> y = where(h > 0, h * h, h) / sum(h, {1}, true);
            return sum(square(pushforward(in, net.tape.borrow(tangents), y)));
          });
        }) == 0);
}

TEST_CASE("allocation: none by k-means, whose places the tape keeps") {
  Tensor<double> centres = Tensor<double>::zeros({10, 3});
  Tensor<double> points = Tensor<double>::zeros({50, 3});
  RandomKey(1).normal(centres.storage());
  RandomKey(2).normal(points.storage());
  Tape<double> tape;
  CHECK(steady_allocations([&] {
          tape.clear();
          const Var<double> x = tape.borrow(centres);
          const Var<double> y = test::kmeans_objective(x, tape.borrow(points));
          static_cast<void>(gradient_values<double>(y, std::span(&x, 1)));
        }) == 0);
}

TEST_CASE("allocation: none by operations that order entries or choose by place") {
  Network net;
  CHECK(steady_allocations([&] {
          net.train([&](const Var<float>& x) {
            const Var<float> y = net.layer(x);
            const Var<float> moved = scatter_add(gather(y, argsort(y, 0), 0), argsort(y), y, 1);
            return sum(sort(moved)) + median(moved) + sum(take(y, argmax(y, 0), 0));
          });
        }) == 0);
}

}  // namespace
}  // namespace fjord
