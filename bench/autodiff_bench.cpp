// Prints what derivatives cost beside the values they belong to: see bench/run.sh.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <cblas.h>

#include "fjord/autodiff/scalar.hpp"
#include "fjord/bench/gmm_by_hand.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/tests/support/counted_new.hpp"
#include "fjord/tests/support/objectives.hpp"

namespace {

using namespace fjord;
using bench::shortest_seconds;

using Tensors = std::vector<Tensor<double>>;

Tensor<double> normals(const Shape& shape, std::uint64_t key, double deviation = 1) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  RandomKey(key).normal(numbers.storage());
  for (double& x : numbers.storage()) x *= deviation;
  return numbers;
}

// A function of its inputs, and constants that it uses.
struct Objective {
  std::string name;
  Tensors inputs;
  Tensors constants;
  std::function<Var<double>(const Vars<double>& x, const Vars<double>& constants)> f;
};

// An objective recorded on a tape of its own, again and again.
class Recorder final {
 public:
  explicit Recorder(const Objective& objective) : objective_(objective) {
    for (const Tensor<double>& x : objective.inputs)
      tangents_.push_back(Tensor<double>::ones(x.shape()));
  }

  Var<double> record() {
    tape_.clear();
    inputs_.clear();
    constants_.clear();
    for (const Tensor<double>& x : objective_.inputs) inputs_.push_back(tape_.borrow(x));
    for (const Tensor<double>& x : objective_.constants) constants_.push_back(tape_.borrow(x));
    return objective_.f(inputs_, constants_);
  }

  void gradient() {
    const Var<double> y = record();
    gradient_values<double>(y, inputs_);
  }

  // Forward over the recording, then backward over both.
  void hessian_vector_product() {
    const Var<double> y = record();
    Vars<double> tangents;
    for (const Tensor<double>& t : tangents_) tangents.push_back(tape_.borrow(t));
    gradient_values<double>(pushforward(inputs_, tangents, Vars<double>{y})[0], inputs_);
  }

  std::size_t operations() const {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < tape_.size(); ++i) {
      const Node<double>& node = tape_.node(i);
      count += node.op != nullptr && node.output == 0 ? 1 : 0;
    }
    return count;
  }

 private:
  const Objective& objective_;
  Tensors tangents_;
  Tape<double> tape_;
  Vars<double> inputs_;
  Vars<double> constants_;
};

constexpr int rounds = 10;

struct Costs {
  double value;
  double gradient;
  double product;
  std::size_t operations;
  std::size_t allocations;
};

Costs costs_of(const Objective& objective, int runs) {
  Recorder recorder(objective);
  Costs costs{};
  recorder.record();
  costs.operations = recorder.operations();
  costs.value = costs.gradient = costs.product = 1e300;
  // By turns, as a shared machine has slow and fast seconds.
  const auto shorten = [&](double& seconds, auto f) {
    seconds = std::min(seconds, shortest_seconds(std::max(1, runs / rounds), f));
  };
  for (int round = 0; round < rounds; ++round) {
    shorten(costs.value, [&] { recorder.record(); });
    shorten(costs.gradient, [&] { recorder.gradient(); });
    shorten(costs.product, [&] { recorder.hessian_vector_product(); });
  }
  recorder.gradient();
  const std::size_t before = test::allocations();
  recorder.gradient();
  costs.allocations = test::allocations() - before;
  return costs;
}

double gradient_seconds(const Objective& objective, int runs) {
  Recorder recorder(objective);
  return shortest_seconds(runs, [&] { recorder.gradient(); });
}

Costs print(const Objective& objective, int runs) {
  const Costs c = costs_of(objective, runs);
  std::printf(
      "%-32s value %9.1f us; gradient / value %.2f; Hessian-vector product / gradient %.2f; "
      "%zu operations, %zu allocations in a gradient\n",
      objective.name.c_str(), c.value * 1e6, c.gradient / c.value, c.product / c.gradient,
      c.operations, c.allocations);
  return c;
}

Objective mlp() {
  return {"MLP 64-64 on 256 rows",
          {normals({64, 64}, 1, 0.125), normals({64}, 2, 0.1), normals({64, 64}, 3, 0.125),
           normals({64}, 4, 0.1), normals({1, 64}, 5, 0.125), normals({1}, 6, 0.1)},
          {normals({256, 64}, 7), normals({256, 1}, 8)},
          [](const Vars<double>& p, const Vars<double>& data) {
            const Var<double> h = tanh_affine(tanh_affine(data[0], p[0], p[1]), p[2], p[3]);
            return mean_squared_error(affine(h, p[4], p[5]), data[1]);
          }};
}

Objective mixture(Index d, Index k, Index n) {
  return {"GMM d = " + std::to_string(d) + ", k = " + std::to_string(k),
          {normals({k}, 1), normals({k, d}, 2), normals({k, d * (d + 1) / 2}, 3, 0.3)},
          {normals({n, d}, 4)},
          [places = test::factor_places(d)](const Vars<double>& p, const Vars<double>& data) {
            return test::gmm_objective(p[0], p[1], p[2], data[0], places, {});
          }};
}

Objective lstm(Index width, std::size_t steps) {
  Objective objective{
      "LSTM 2 x 14, 1023 steps", {}, {}, [](const Vars<double>& p, const Vars<double>& sequence) {
        return test::lstm_objective(p, sequence);
      }};
  for (std::uint64_t k = 0; k < 19; ++k) objective.inputs.push_back(normals({width}, k, 0.5));
  for (std::uint64_t k = 0; k <= steps; ++k)
    objective.constants.push_back(normals({width}, 100 + k, 0.5));
  return objective;
}

Objective logistic_regression() {
  return {"logistic regression 1000 x 100",
          {normals({100, 1}, 1, 0.1)},
          {normals({1000, 100}, 2), normals({1000, 1}, 3)},
          [](const Vars<double>& w, const Vars<double>& data) {
            return mean(softplus(data[1] * matmul(data[0], w[0]))) + 0.01 * sum(square(w[0]));
          }};
}

Objective rosenbrock() {
  return {"rosenbrock of 1000",
          {normals({1000}, 1)},
          {},
          [](const Vars<double>& x, const Vars<double>&) {
            const Var<double> a = slice(x[0], 0, 0, 999);
            const Var<double> b = slice(x[0], 0, 1, 1000);
            return sum(100.0 * square(b - square(a)) + square(1.0 - a));
          }};
}

Objective kmeans() {
  return {"k-means k = 100, d = 16",
          {normals({100, 16}, 1)},
          {normals({1000, 16}, 2)},
          [](const Vars<double>& c, const Vars<double>& data) {
            return test::kmeans_objective(c[0], data[0]);
          }};
}

double gmm_by_hand_seconds(const Objective& o, int runs) {
  const auto sizes = [&](std::size_t i) { return o.inputs[i].shape(); };
  const auto d = static_cast<std::size_t>(sizes(1)[1]);
  const auto k = static_cast<std::size_t>(sizes(1)[0]);
  const auto n = static_cast<std::size_t>(o.constants[0].shape()[0]);
  Tensors g;
  for (const Tensor<double>& x : o.inputs) g.push_back(Tensor<double>::zeros(x.shape()));
  const bench::Mixture m{d, k, n, o.constants[0].storage()};
  return shortest_seconds(runs, [&] {
    bench::gmm_gradient(m, {o.inputs[0].storage(), o.inputs[1].storage(), o.inputs[2].storage()},
                        {g[0].storage(), g[1].storage(), g[2].storage()});
  });
}

// Var or Scalar.
template <class Number, class F>
void print_scalar(const char* name, F f) {
  constexpr int count = 20'000;
  Tape<double> tape;
  const double seconds = shortest_seconds(100, [&] {
    tape.clear();
    const Number x(tape.scalar(1.000001));
    Number y = x;
    for (int i = 0; i < count; ++i) y = f(y, x);
    gradient_values(y, {x});
  });
  std::printf("a scalar %-24s record and sweep: %.1f ns\n", name, seconds / count * 1e9);
}

void print_scalars() {
  const auto product = [](const auto& y, const auto& x) { return y * x; };
  print_scalar<Var<double>>("multiplication", product);
  print_scalar<Scalar<double>>("multiplication (Scalar)", product);
  print_scalar<Var<double>>("addition", [](const auto& y, const auto& x) { return y + x; });
  print_scalar<Var<double>>("sine", [](const auto& y, const auto&) { return sin(y); });
}

double dgemm_flops(int m, int n, int k) {
  const auto size = [](int rows, int columns) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  };
  const std::vector<double> a(size(m, k), 1.0);
  const std::vector<double> b(size(k, n), 0.5);
  std::vector<double> c(size(m, n));
  const double seconds = shortest_seconds(5, [&] {
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0, a.data(), m, b.data(), k,
                0.0, c.data(), m);
  });
  return 2.0 * m * n * k / seconds;
}

}  // namespace

int main() {
  const BlasReport blas = blas_report();
  std::printf("processor %s, BLAS %s, core %s\n", blas.processor.c_str(), blas.library.c_str(),
              blas.core.c_str());
  print(mlp(), 100);
  const Objective small = mixture(10, 25, 1000);
  print(small, 50);
  double by_hand = 1e300;
  double ours = 1e300;
  for (int round = 0; round < rounds; ++round) {
    by_hand = std::min(by_hand, gmm_by_hand_seconds(small, 10));
    ours = std::min(ours, gradient_seconds(small, 10));
  }
  std::printf("  gradient by hand: %.0f us; ours %.0f us; ratio %.2f\n", by_hand * 1e6, ours * 1e6,
              ours / by_hand);
  const Costs cells = print(lstm(14, 1023), 20);
  std::printf("  gradient, for each recorded operation: %.1f ns\n",
              cells.gradient / static_cast<double>(cells.operations) * 1e9);
  print(logistic_regression(), 200);
  print(rosenbrock(), 500);
  const Costs means = print(kmeans(), 50);
  std::printf("  gradient and H 1 / value: %.2f\n", means.product / means.value);
  print_scalars();
  const Objective large = mixture(64, 100, 1000);
  const Costs wide = print(large, 3);
  // One product forward, one for the gradient of the factors.
  const double flops = 2 * 2.0 * 1000 * 64 * 6400;
  const double peak = dgemm_flops(1000, 6400, 64);
  std::printf("  Mahalanobis products: %.1f GFLOP/s, dgemm %.1f; share %.0f %%\n",
              flops / wide.gradient * 1e-9, peak * 1e-9, 100 * flops / wide.gradient / peak);
  std::printf("  gradient by hand: %.1f ms; ours %.1f ms\n", gmm_by_hand_seconds(large, 3) * 1e3,
              wide.gradient * 1e3);
}
