#include "fjord/tests/support/part_models.hpp"

#include <cmath>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/autoregressive.hpp"
#include "fjord/flows/coupling.hpp"
#include "fjord/flows/elementwise_maps.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/normalization.hpp"
#include "fjord/flows/permutation.hpp"
#include "fjord/flows/planar.hpp"
#include "fjord/flows/polynomial_splines.hpp"
#include "fjord/flows/potential_field.hpp"
#include "fjord/flows/radial.hpp"
#include "fjord/flows/rational_quadratic.hpp"
#include "fjord/flows/residual_field.hpp"
#include "fjord/flows/residual_flow.hpp"
#include "fjord/flows/skew_maps.hpp"
#include "fjord/flows/stack.hpp"
#include "fjord/flows/standardise.hpp"
#include "fjord/flows/sum_of_squares.hpp"
#include "fjord/flows/sylvester.hpp"
#include "fjord/flows/time_mlp_field.hpp"
#include "fjord/flows/unconstrained_monotonic.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/learning.hpp"

namespace fjord::test {
namespace {

using namespace flows;

using Part = std::unique_ptr<Bijector<double>>;
using Parts = std::vector<Part>;
using MakeTransformer = std::function<std::unique_ptr<Transformer<double>>()>;

const RandomKey key(11);

// A part, and the map that brings the moons to where it maps to.
struct Row {
  std::function<Part()> make;
  std::function<double(double)> to_range = [](double x) { return x; };
};

PartModel model_of(const Row& row, Index epochs) {
  return {[make = row.make]() -> std::unique_ptr<Distribution<double>> {
            return std::make_unique<TransformedDistribution<double>>(
                std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                                         std::vector<double>{1, 1}),
                make());
          },
          [to_range = row.to_range](Index count, std::uint64_t seed) {
            return moons(count, seed, to_range);
          },
          Beaten::untrained_and_normal, epochs};
}

PartModels models_of(const std::map<std::string, Row>& rows, Index epochs) {
  PartModels models;
  for (const auto& [name, row] : rows) models.emplace(name, model_of(row, epochs));
  return models;
}

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

Part flow_of(std::unique_ptr<VectorField<double>> field) {
  return std::make_unique<Ffjord<double>>(std::move(field),
                                          FfjordOptions{.solver = numerics(1e-3)});
}

Part continuous() {
  auto network = std::make_unique<nn::Mlp<double>>(
      std::vector<Index>{4, 16, 16, 2}, nn::activation_named<double>("tanh"), key.fold(2));
  return flow_of(std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::repeat));
}

Part autoregressive() {
  return std::make_unique<Autoregressive<double>>(
      AutoregressiveSettings{{1, 0}, {.hidden = {32}}},
      std::make_unique<RationalQuadraticSpline<double>>(), key.fold(3));
}

Part residual(std::uint64_t seed) {
  return std::make_unique<ResidualFlow<double>>(
      ResidualFlowSettings{.lipschitz = 0.97, .network = {{16, 16}, "sin"}}, key.fold(seed));
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
      {"residual_flow", {[] {
         Parts parts;
         for (std::uint64_t seed = 4; seed < 10; ++seed) parts.push_back(residual(seed));
         return std::make_unique<Chain<double>>(std::move(parts));
       }}},
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

std::map<std::string, Row> rows_of_fields() {
  return {
      {"mlp_field", {continuous}},
      {"potential_field", {[] {
         return flow_of(std::make_unique<PotentialField<double>>(
             PotentialOptions{.dim = 2, .width = 24, .layers = 2}, key));
       }}},
      {"residual_field", {[] {
         return flow_of(std::make_unique<ResidualField<double>>(
             ResidualOptions{.width = 16, .blocks = 1, .zero_last = true}, key));
       }}},
      {"time_mlp_field", {[] {
         return flow_of(std::make_unique<TimeMlpField<double>>(
             TimeMlpOptions{.hidden = {16, 16}, .layer = "concatsquash", .zero_last = true}, key));
       }}},
  };
}

std::map<std::string, Row> rows_of_transformers() {
  return {
      // It keeps volumes, so a scale does what it cannot.
      {"additive_transformer", {[] {
         return chain(coupled<AdditiveTransformer<double>>()(), std::make_unique<Scale<double>>(2));
       }}},
      {"affine_transformer", {coupled<AffineTransformer<double>>()}},
      {"cubic_spline", {coupled<CubicSpline<double>>()}},
      {"linear_spline", {coupled<LinearSpline<double>>()}},
      {"quadratic_spline", {coupled<QuadraticSpline<double>>()}},
      {"rational_quadratic", {splines}},
      {"unconstrained_monotonic", {[] {
         return couplings([] {
           return std::make_unique<UnconstrainedMonotonic<double>>(UnconstrainedMonotonicSettings{},
                                                                   key);
         });
       }}},
      // Polynomials of polynomials grow too fast for rows at the edge.
      {"sum_of_squares",
       {[] { return couplings([] { return std::make_unique<SumOfSquares<double>>(); }); }}},
  };
}

}  // namespace

PartModels models_of_bijectors() {
  return models_of(rows_of_bijectors(), 40);
}

PartModels models_of_fields() {
  return models_of(rows_of_fields(), 60);
}

PartModels models_of_transformers() {
  return models_of(rows_of_transformers(), 48);
}

}  // namespace fjord::test
