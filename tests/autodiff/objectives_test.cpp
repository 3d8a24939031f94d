#include "fjord/tests/support/objectives.hpp"

#include <doctest/doctest.h>

#include "fjord/tests/support/battery.hpp"

namespace fjord::test {
namespace {

TEST_CASE("objectives: a mixture of Gaussians has the published value and gradient") {
  Tape<double> tape;
  const Vars<double> parameters{
      tape.input(Tensor<double>{-0.649014, 1.181166, -0.758453}),
      tape.input(Tensor<double>{{0.092339, 0.186260}, {0.345561, 0.396767}, {0.538817, 0.419195}}),
      tape.input(Tensor<double>{{0.586443, -0.851887, 0.800321},
                                {-1.509405, 0.875874, -0.242790},
                                {0.166813, -1.965419, -1.270071}})};
  const Var<double> x = tape.input(Tensor<double>{{1.175171, 2.029160}});
  const Var<double> f =
      gmm_objective(parameters[0], parameters[1], parameters[2], x, factor_places(2), {});
  CHECK(f.item() == doctest::Approx(8.07380408004975791).epsilon(1e-12));
  const std::vector<double> expected{
      0.108662855508652456,   -0.741270039523898472,  0.632607184015246071,  1.11692576532787013,
      0.163333013551455269,   -0.0219989824071193142, 0.227778292254236098,  1.20963025612832187,
      -0.0606375920733956339, 2.58529994051162237,    0.112632694524213789,  0.385744309849611777,
      0.0735180573182305508,  5.41836362715595232,    -0.321494409677446469, 1.71892309775004937,
      0.860091090790866875,   -0.994640930466322848};
  std::vector<double> found;
  for (const TensorView<double>& g : gradient_values<double>(f, parameters)) {
    const std::vector<double> entries = Tensor<double>(g).to_vector();
    found.insert(found.end(), entries.begin(), entries.end());
  }
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(found[i] - expected[i]) <= 1e-12 * std::max(1.0, std::abs(expected[i])));
  }
}

double logistic(double u) {
  return 1 / (1 + std::exp(-u));
}

// The same network with plain numbers, entry by entry.
double lstm_by_loops(const Tensors& parameters, const Tensors& sequence) {
  const std::size_t layers = parameters.size() / 8;
  const auto b = static_cast<std::size_t>(sequence[0].size());
  std::vector<std::vector<double>> h(layers, std::vector<double>(b));
  std::vector<std::vector<double>> c = h;
  const auto p = [&](std::size_t k, std::size_t i) { return parameters[k].storage()[i]; };
  double total = 0;
  for (std::size_t step = 0; step + 1 < sequence.size(); ++step) {
    double sum = 2;
    std::vector<double> y(b);
    for (std::size_t i = 0; i < b; ++i) {
      double x = sequence[step].storage()[i] * p(8 * layers, i);
      for (std::size_t l = 0; l < layers; ++l) {
        const std::size_t at = 8 * l;
        const double f = logistic(x * p(at, i) + p(at + 1, i));
        const double in = logistic(h[l][i] * p(at + 2, i) + p(at + 3, i));
        const double out = logistic(x * p(at + 4, i) + p(at + 5, i));
        const double a = std::tanh(h[l][i] * p(at + 6, i) + p(at + 7, i));
        c[l][i] = c[l][i] * f + in * a;
        h[l][i] = out * std::tanh(c[l][i]);
        x = h[l][i];
      }
      y[i] = x * p(8 * layers + 1, i) + p(8 * layers + 2, i);
      sum += std::exp(y[i]);
    }
    for (std::size_t i = 0; i < b; ++i)
      total += sequence[step + 1].storage()[i] * (y[i] - std::log(sum));
  }
  return -total / static_cast<double>((sequence.size() - 1) * b);
}

TEST_CASE("objectives: an LSTM agrees with its plain loops and their differences") {
  Tensors parameters;
  for (std::uint64_t k = 0; k < 19; ++k) parameters.push_back(sample({3}, k, 0.5));
  Tensors sequence;
  for (std::uint64_t k = 0; k < 6; ++k) sequence.push_back(sample({3}, 100 + k, 0.5));
  Tape<double> tape;
  Vars<double> p;
  Vars<double> s;
  for (const Tensor<double>& t : parameters) p.push_back(tape.input(t));
  for (const Tensor<double>& t : sequence) s.push_back(tape.input(t));
  const Var<double> f = lstm_objective(p, s);
  CHECK(f.item() == doctest::Approx(lstm_by_loops(parameters, sequence)).epsilon(1e-13));
  const auto gradient = gradient_values<double>(f, p);
  constexpr double h = 1e-3;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    Tensors moved = parameters;
    double difference = 0;
    const double weights[] = {45, -9, 1};
    for (int i = 1; i <= 3; ++i) {
      for (const int sign : {1, -1}) {
        moved[k].storage()[1] = parameters[k].storage()[1] + sign * i * h;
        difference += sign * weights[i - 1] * lstm_by_loops(moved, sequence);
      }
    }
    CAPTURE(k);
    CHECK(std::abs(gradient[k](1) - difference / (60 * h)) <= 1e-11);
  }
}

TEST_CASE(
    "objectives: k-means has each point's share as gradient and twice their number as Hessian") {
  Tape<double> tape;
  const Tensor<double> points = sample({40, 3}, 1);
  const Tensor<double> centres = sample({4, 3}, 2);
  double value = 0;
  Tensor<double> gradient = Tensor<double>::zeros({4, 3});
  Tensor<double> hessian = Tensor<double>::zeros({4, 3});
  for (Index i = 0; i < 40; ++i) {
    Index nearest = 0;
    double least = inf;
    for (Index k = 0; k < 4; ++k) {
      double distance = 0;
      for (Index j = 0; j < 3; ++j) distance += std::pow(points(i, j) - centres(k, j), 2);
      if (distance < least) {
        least = distance;
        nearest = k;
      }
    }
    value += least;
    for (Index j = 0; j < 3; ++j) {
      gradient(nearest, j) += 2 * (centres(nearest, j) - points(i, j));
      hessian(nearest, j) += 2;
    }
  }
  const Var<double> c = tape.input(centres);
  const Var<double> f = kmeans_objective(c, tape.input(points));
  CHECK(f.item() == doctest::Approx(value).epsilon(1e-13));
  const Var<double> slope = pushforward(c, tape.input(Tensor<double>::ones({4, 3})), f);
  const Tensor<double> found(gradient_values<double>(f, std::span(&c, 1))[0]);
  for (Index k = 0; k < 4; ++k) {
    for (Index j = 0; j < 3; ++j)
      CHECK(found(k, j) == doctest::Approx(gradient(k, j)).epsilon(1e-12));
  }
  CHECK(Tensor<double>(gradient_values<double>(slope, std::span(&c, 1))[0]) == hessian);
}

}  // namespace
}  // namespace fjord::test
