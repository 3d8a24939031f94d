/// Every bijector, field and transformer in a model that is trained: it ends well above its
/// untrained self and above a normal distribution.
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/autoregressive.hpp"
#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/coupling.hpp"
#include "fjord/flows/elementwise_maps.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/normalization.hpp"
#include "fjord/flows/permutation.hpp"
#include "fjord/flows/planar.hpp"
#include "fjord/flows/polynomial_splines.hpp"
#include "fjord/flows/radial.hpp"
#include "fjord/flows/rational_quadratic.hpp"
#include "fjord/flows/skew_maps.hpp"
#include "fjord/flows/stack.hpp"
#include "fjord/flows/standardise.hpp"
#include "fjord/flows/sum_of_squares.hpp"
#include "fjord/flows/sylvester.hpp"
#include "fjord/flows/toys/moons.hpp"
#include "fjord/flows/types.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using Part = std::unique_ptr<Bijector<double>>;
using Parts = std::vector<Part>;
using MakeTransformer = std::function<std::unique_ptr<Transformer<double>>()>;

const RandomKey key(11);

/// A part, and the map that brings the moons to where it maps to.
struct Row {
  std::function<Part()> make;
  std::function<double(double)> to_range = [](double x) { return x; };
};

Part coupling(bool parity, std::unique_ptr<Transformer<double>> transformer) {
  return std::make_unique<Coupling<double>>(
      CouplingSettings{.dim = 2, .parity = parity, .network = {.hidden = {24}}},
      std::move(transformer), key.fold(parity ? 1 : 0));
}

Part chain(Part first, Part second) {
  Parts parts;
  parts.push_back(std::move(first));
  parts.push_back(std::move(second));
  return std::make_unique<Chain<double>>(std::move(parts));
}

// Two couplings of one kind, one of each parity.
Part couplings(const MakeTransformer& make) {
  return chain(coupling(false, make()), coupling(true, make()));
}

Part splines() {
  return couplings([] { return std::make_unique<RationalQuadraticSpline<double>>(); });
}

// A part that cannot bend the moons alone is next to splines that can.
template <class P, class... A>
std::function<Part()> with_splines(A... arguments) {
  return [=] { return chain(splines(), std::make_unique<P>(arguments...)); };
}

template <class M>
std::function<Part()> coupled() {
  // Four layers: two of some transformers bend the moons too little.
  const MakeTransformer make = [] { return std::make_unique<M>(); };
  return [make] { return chain(couplings(make), couplings(make)); };
}

Part continuous() {
  auto network = std::make_unique<nn::Mlp<double>>(
      std::vector<Index>{4, 16, 16, 2}, nn::activation_named<double>("tanh"), key.fold(2));
  return std::make_unique<Ffjord<double>>(
      std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::repeat),
      FfjordOptions{.solver = test::numerics(1e-3)});
}

Part autoregressive() {
  return std::make_unique<Autoregressive<double>>(
      AutoregressiveSettings{{1, 0}, {.hidden = {32}}},
      std::make_unique<RationalQuadraticSpline<double>>(), key.fold(3));
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

std::map<std::string, Row> rows_of_bijectors() {
  const std::vector<double> zeros{0, 0};
  const std::vector<double> scales{0.9, 0.5};
  return {
      {"act_norm", {with_splines<ActNorm<double>>(Index{2})}},
      {"affine", {with_splines<Affine<double>>(Index{2})}},
      {"autoregressive", {autoregressive}},
      {"chain", {splines}},
      {"coupling", {splines}},
      {"exp", {with_splines<Exp<double>>(), [](double x) { return std::exp(x); }}},
      {"ffjord", {continuous}},
      {"householder", {with_splines<Householder<double>>(Index{2}, Index{2}, key)}},
      {"identity", {with_splines<Identity<double>>()}},
      {"inverse", {[] { return std::make_unique<Inverse<double>>(splines()); }}},
      {"lu_linear", {with_splines<LuLinear<double>>(Index{2}, key)}},
      {"moving_batch_norm", {with_splines<MovingBatchNorm<double>>(Index{2})}},
      {"planar", {with_splines<Planar<double>>(Index{2}, key)}},
      {"power",
       {[] {
          return chain(chain(splines(), std::make_unique<Exp<double>>()),
                       std::make_unique<Power<double>>(0.7));
        },
        [](double x) { return std::exp(x); }}},
      {"radial", {with_splines<Radial<double>>(Index{2}, key)}},
      {"soft_clip", {with_splines<SoftClip<double>>(-3.0, 4.0, 1.0)}},
      {"sylvester", {with_splines<Sylvester<double>>(Index{2}, Index{1}, key)}},
      {"permutation", {with_splines<Permutation<double>>(std::vector<Index>{1, 0})}},
      {"scale", {with_splines<Scale<double>>(Index{2})}},
      {"shift", {with_splines<Shift<double>>(Index{2})}},
      {"sinh_arcsinh", {with_splines<SinhArcsinh<double>>(Index{2})}},
      {"softplus",
       {with_splines<Softplus<double>>(), [](double x) { return std::log1p(std::exp(x)); }}},
      {"stack",
       {[] {
          Parts parts;
          parts.push_back(std::make_unique<Exp<double>>());
          parts.push_back(std::make_unique<Exp<double>>());
          return chain(splines(),
                       std::make_unique<Stack<double>>(std::move(parts), std::vector<Index>{1, 1}));
        },
        [](double x) { return std::exp(x); }}},
      {"standardise", {with_splines<Standardise<double>>(zeros, scales)}},
      {"sigmoid", {with_splines<Sigmoid<double>>(0.0, 1.0), logistic}},
      {"tanh", {with_splines<Tanh<double>>(), [](double x) { return std::tanh(x / 2); }}},
      {"triangular", {with_splines<Triangular<double>>(Index{2})}},
      {"yeo_johnson", {with_splines<YeoJohnson<double>>(Index{2})}},
  };
}

Tensor<double> moons(Index count, std::uint64_t seed, const std::function<double(double)>& map) {
  Tensor<double> x = Moons(0.1).draw(count, RandomKey(seed));
  for (double& value : x.storage()) value = map(value);
  return x;
}

struct Score {
  double mean;
  double error;
};

Score score(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  double squares = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

// The log-densities of rows under the normal distribution with the moments of other rows.
std::vector<double> normal_log_prob(const Tensor<double>& x, const Tensor<double>& train) {
  const auto n = static_cast<double>(train.shape()[0]);
  double m0 = 0;
  double m1 = 0;
  for (Index i = 0; i < train.shape()[0]; ++i) m0 += train(i, 0) / n, m1 += train(i, 1) / n;
  double a = 0;
  double b = 0;
  double c = 0;
  for (Index i = 0; i < train.shape()[0]; ++i) {
    const double u = train(i, 0) - m0;
    const double v = train(i, 1) - m1;
    a += u * u / n, b += u * v / n, c += v * v / n;
  }
  const double det = a * c - b * b;
  std::vector<double> result;
  for (Index i = 0; i < x.shape()[0]; ++i) {
    const double u = x(i, 0) - m0;
    const double v = x(i, 1) - m1;
    result.push_back(-std::log(2 * std::numbers::pi) - 0.5 * std::log(det) -
                     0.5 * (c * u * u - 2 * b * u * v + a * v * v) / det);
  }
  return result;
}

void check_learns(const std::string& name, const Row& row, Index epochs = 12) {
  CAPTURE(name);
  const Tensor<double> x = moons(1024, 1, row.to_range);
  const Tensor<double> fresh = moons(2000, 2, row.to_range);
  TransformedDistribution<double> model(std::make_unique<DiagonalNormal<double>>(
                                            std::vector<double>{0, 0}, std::vector<double>{1, 1}),
                                        row.make());
  const Score untrained = score(test::log_prob<double>(model, fresh).to_vector());
  Workers workers(2);
  FitOptions<double> options{.epochs = epochs, .batch = 128, .rate = 2e-2};
  const FitReport report = fit<double>(model, TableRows<double>(x), nullptr, workers, options);
  CHECK(report.failures == 0);
  const Score trained = score(test::log_prob<double>(model, fresh).to_vector());
  const Score normal = score(normal_log_prob(fresh, x));
  CHECK(trained.mean - untrained.mean > 10 * std::hypot(trained.error, untrained.error));
  CHECK(trained.mean - normal.mean > 10 * std::hypot(trained.error, normal.error));
}

TEST_CASE("trained: a model with any bijector learns more than a normal distribution") {
  const std::map<std::string, Row> rows = rows_of_bijectors();
  for (const nn::PartType<double>& type : bijectors<double>()) {
    if (type.name == "conditional_affine") continue;  // it does nothing without what is given
    const auto found = rows.find(std::string(type.name));
    CAPTURE(std::string(type.name));
    CHECK(found != rows.end());
    if (found != rows.end()) check_learns(found->first, found->second);
  }
}

TEST_CASE("trained: a conditional map learns what the given numbers say") {
  // y = sin(2 g) + 0.2 n: at given g the entropy is that of the noise.
  const auto draw = [](Index count, std::uint64_t seed, Tensor<double>& given) {
    given = test::normals({count, 1}, seed);
    Tensor<double> y = test::normals({count, 1}, seed + 1, 0.2);
    for (Index i = 0; i < count; ++i) y(i, 0) += std::sin(2 * given(i, 0));
    return y;
  };
  Tensor<double> given;
  Tensor<double> fresh_given;
  const Tensor<double> y = draw(2048, 1, given);
  const Tensor<double> fresh = draw(2000, 3, fresh_given);
  TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::make_unique<ConditionalAffine<double>>(1, 1, ConditionalAffineOptions{.hidden = {24}},
                                                  key));
  Workers workers(2);
  FitOptions<double> options{.epochs = 40, .batch = 128, .rate = 2e-2};
  fit<double>(model, TableRows<double>(y, given), nullptr, workers, options);
  ShardedModel<double> sharded(model, workers);
  const auto log_prob = sharded.log_prob(TableRows<double>(fresh, fresh_given), key).values;
  const Score trained = score(log_prob.to_vector());
  const double entropy = 0.5 * std::log(2 * std::numbers::pi * std::numbers::e) + std::log(0.2);
  CHECK(trained.mean < -entropy + 4 * trained.error);
  CHECK(trained.mean > -entropy - 0.2);
}

TEST_CASE("trained: couplings of any transformer learn more than a normal distribution") {
  const std::map<std::string, Row> rows{
      {"affine_transformer", {coupled<AffineTransformer<double>>()}},
      {"cubic_spline", {coupled<CubicSpline<double>>()}},
      {"linear_spline", {coupled<LinearSpline<double>>()}},
      {"quadratic_spline", {coupled<QuadraticSpline<double>>()}},
      // Polynomials of polynomials grow too fast for rows at the edge.
      {"sum_of_squares",
       {[] { return couplings([] { return std::make_unique<SumOfSquares<double>>(); }); }}},
  };
  for (const auto& [name, row] : rows) check_learns(name, row, 24);
}

}  // namespace
}  // namespace fjord::flows
