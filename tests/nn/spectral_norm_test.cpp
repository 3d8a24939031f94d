#include "fjord/nn/spectral_norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::nn {
namespace {

template <class T>
double bound_of(const Tensor<T>& weight) {
  Tape<T> tape;
  return static_cast<double>(spectral_norm_bound(tape.input(weight)).item());
}

Tensor<double> draws(const Shape& shape, std::uint64_t seed, double factor = 1) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  RandomKey(seed).normal(numbers.storage());
  for (double& x : numbers.storage()) x *= factor;
  return numbers;
}

double norm(const Tensor<double>& x) {
  double sum = 0;
  for (const double entry : x.to_vector()) sum += entry * entry;
  return std::sqrt(sum);
}

TEST_CASE_TEMPLATE("spectral_norm: the bound is the Schatten norm of order 256", T, float, double) {
  // Floats keep the logarithm of 1e25 to 4e-6.
  const double tolerance = std::is_same_v<T, double> ? 1e-13 : 4e-6;
  // The singular values of the second are the roots of 45 and 5; those of the third are 2 and 2.
  const std::vector<std::pair<Tensor<double>, double>> known{
      {{{3, 0}, {0, -4}}, 4 * std::pow(1 + std::pow(0.75, 256), 1.0 / 256)},
      {{{3, 0}, {4, 5}}, std::sqrt(45.0)},
      {{{2, 0, 0}, {0, 0, -2}}, 2 * std::pow(2, 1.0 / 256)},
      {{{0, 0}, {0, 7}, {0, 0}}, 7}};
  for (const auto& [weight, expected] : known) {
    for (const double scale : {1.0, 1e-25, 1e25}) {
      Tensor<double> scaled = weight;
      for (double& w : scaled.storage()) w *= scale;
      CHECK(bound_of(scaled.as<T>()) / (expected * scale) == doctest::Approx(1).epsilon(tolerance));
    }
  }
  CHECK(bound_of(Tensor<T>::zeros({3, 2})) == 0);
  CHECK(std::isnan(bound_of(Tensor<T>{{T(1), std::numeric_limits<T>::quiet_NaN()}})));
}

TEST_CASE("spectral_norm: its derivatives are right") {
  const CheckedFunction f = [](const Vars<double>& in) { return spectral_norm_bound(in[0]); };
  for (const Shape& shape : {Shape{3, 4}, Shape{4, 2}, Shape{1, 1}}) {
    const GradientCheck check = check_gradient(f, {draws(shape, 3)}, 1e-4);
    CHECK(check.reverse < 1e-6);
    CHECK(check.second < 1e-6);
  }
}

TEST_CASE("spectral_norm: a matrix below the bound stays as it is, one above comes down to it") {
  Tape<double> tape;
  const Tensor<double> small{{0.3, 0}, {0.4, 0.5}};
  const Var<double> kept = with_spectral_bound(tape.input(small), 0.7);
  CHECK(Tensor<double>(kept.value()) == small);
  const Var<double> shrunk = with_spectral_bound(tape.input(draws({5, 7}, 1)), 0.7);
  CHECK(bound_of(Tensor<double>(shrunk.value())) == doctest::Approx(0.7).epsilon(1e-13));
  // A layer of zeros, as flows begin with, has the derivatives of one that is not scaled.
  const Var<double> zeros = tape.input(Tensor<double>::zeros({2, 3}));
  const Var<double> image = sum(with_spectral_bound(zeros, 0.7));
  const Var<double> slope = pullback<double>({image}, {tape.scalar(1)}, {zeros})[0];
  CHECK(Tensor<double>(slope.value()) == Tensor<double>::ones({2, 3}));
}

TEST_CASE("spectral_norm: no activation is steeper than its table says, and none much less") {
  for (const Activation<double>& activation : all_activations<double>()) {
    CAPTURE(std::string(activation.name));
    Tape<double> tape;
    Tensor<double> at = Tensor<double>::zeros({80001});
    for (Index i = 0; i < at.size(); ++i) at(i) = (static_cast<double>(i) - 40000) * 1e-3;
    const Var<double> x = tape.input(at);
    const Var<double> y = activation.function(x);
    const Tensor<double> slopes(pullback<double>({sum(y)}, {tape.scalar(1)}, {x})[0].value());
    double steepest = 0;
    for (const double slope : slopes.to_vector()) steepest = std::max(steepest, std::abs(slope));
    CHECK(steepest <= activation.steepest);
    CHECK(steepest > activation.steepest - 1e-4);
  }
}

TEST_CASE("spectral_norm: a bounded network lengthens no step by more than its bound") {
  for (const Activation<double>& activation : all_activations<double>()) {
    CAPTURE(std::string(activation.name));
    Mlp<double> mlp(std::vector<Index>{3, 8, 8, 2}, activation, RandomKey(4), 0.6);
    // Weights far above the bound.
    for (const NamedParameter<double>& p : parameters_of(mlp))
      for (double& w : p.parameter->mutable_values()) w *= 30;
    Tape<double> tape;
    double longest = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const Tensor<double> at = draws({1, 3}, 2 * seed);
      const Tensor<double> step = draws({1, 3}, 2 * seed + 1, seed % 2 == 0 ? 1e-4 : 1);
      Tensor<double> moved = at;
      for (Index i = 0; i < 3; ++i) moved(0, i) += step(0, i);
      Tensor<double> change(mlp.forward(tape.input(moved)).value());
      const Tensor<double> before(mlp.forward(tape.input(at)).value());
      for (Index i = 0; i < 2; ++i) change(0, i) -= before(0, i);
      longest = std::max(longest, norm(change) / norm(step));
      tape.clear();
    }
    CHECK(longest <= 0.6 * (1 + 1e-9));
    CHECK(longest > 0.05);  // it is no constant
  }
}

TEST_CASE("spectral_norm: a network within its bound is that without one") {
  const Activation<double> tanh = activation_named<double>("tanh");
  Mlp<double> bounded(std::vector<Index>{2, 4, 2}, tanh, RandomKey(4), 1e3);
  Mlp<double> plain(std::vector<Index>{2, 4, 2}, tanh, RandomKey(4));
  Tape<double> tape;
  const Var<double> x = tape.input(draws({5, 2}, 1));
  CHECK(Tensor<double>(bounded.forward(x).value()) == Tensor<double>(plain.forward(x).value()));
  for (const double bound : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(Mlp<double>(std::vector<Index>{2, 2}, tanh, RandomKey(4), bound),
                    std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::nn
