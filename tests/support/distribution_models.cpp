#include <algorithm>
#include <cmath>
#include <numbers>

#include "fjord/flows/flows.hpp"
#include "fjord/tests/support/part_models.hpp"

namespace fjord::test {
namespace {

using namespace flows;

using Base = std::unique_ptr<Distribution<double>>;
using Bases = std::vector<Base>;
using Part = std::unique_ptr<Bijector<double>>;
using Numbers = std::vector<double>;

const RandomKey key(12);

Part coupling(bool parity) {
  return std::make_unique<Coupling<double>>(
      CouplingSettings{.dim = 2, .parity = parity, .network = {.hidden = {24}}},
      std::make_unique<RationalQuadraticSpline<double>>(), key.fold(parity ? 1 : 0));
}

// From the base to all numbers, then splines.
Base flow(Base base, Part to_numbers) {
  std::vector<Part> parts;
  parts.push_back(std::move(to_numbers));
  parts.push_back(coupling(false));
  parts.push_back(coupling(true));
  return std::make_unique<TransformedDistribution<double>>(
      std::move(base), std::make_unique<Chain<double>>(std::move(parts)));
}

Base over_numbers(Base base) {
  return flow(std::move(base), std::make_unique<Identity<double>>());
}

Base over_positive(Base base) {
  return flow(std::move(base), std::make_unique<Inverse<double>>(std::make_unique<Exp<double>>()));
}

Base over_range(Base base, double low, double high) {
  return flow(std::move(base),
              std::make_unique<Inverse<double>>(std::make_unique<Sigmoid<double>>(low, high)));
}

template <class D, class... A>
Base made(A... arguments) {
  return std::make_unique<D>(arguments...);
}

template <class M>
Base of(Base first, Base second) {
  Bases parts;
  parts.push_back(std::move(first));
  parts.push_back(std::move(second));
  return std::make_unique<M>(std::move(parts));
}

Base truncated() {
  return std::make_unique<Truncated<double>>(
      std::make_unique<DiagonalNormal<double>>(Numbers{0.4, 0.5}, Numbers{0.5, 0.5}), Numbers{0, 0},
      Numbers{1, 1});
}

std::map<std::string, std::function<Base()>> rows_of_bases() {
  const Numbers zeros{0, 0};
  const Numbers ones{1, 1};
  const double pi = std::numbers::pi;
  return {
      {"beta",
       [=] {
         return over_range(made<Beta<double>>(Numbers{2, 3}, ones), 0, 1);
       }},
      // With tails that are trained.
      {"cauchy",
       [=] {
         return flow(made<Cauchy<double>>(zeros, ones), std::make_unique<SinhArcsinh<double>>(2));
       }},
      {"diagonal_normal", [=] { return over_numbers(made<DiagonalNormal<double>>(zeros, ones)); }},
      {"exponential", [=] { return over_positive(made<Exponential<double>>(ones)); }},
      {"full_normal",
       [=] {
         return over_numbers(made<FullNormal<double>>(zeros, Numbers{1, 0.5, 1}));
       }},
      {"gamma",
       [=] {
         return over_positive(made<Gamma<double>>(Numbers{2, 3}, ones));
       }},
      {"half_normal", [=] { return over_positive(made<HalfNormal<double>>(ones)); }},
      {"laplace", [=] { return over_numbers(made<Laplace<double>>(zeros, ones)); }},
      {"log_normal", [=] { return over_positive(made<LogNormal<double>>(zeros, ones)); }},
      {"logistic", [=] { return over_numbers(made<Logistic<double>>(zeros, ones)); }},
      {"low_rank_normal",
       [=] {
         return over_numbers(made<LowRankNormal<double>>(zeros, ones, Numbers{1, 0.5}));
       }},
      {"mixture",
       [=] {
         return over_numbers(of<Mixture<double>>(made<DiagonalNormal<double>>(zeros, ones),
                                                 made<Laplace<double>>(ones, ones)));
       }},
      {"product",
       [=] {
         return over_numbers(
             of<Product<double>>(made<DiagonalNormal<double>>(Numbers{0}, Numbers{1}),
                                 made<Logistic<double>>(Numbers{0}, Numbers{1})));
       }},
      {"student_t",
       [=] {
         return over_numbers(made<StudentT<double>>(Numbers{3, 8}, zeros, ones));
       }},
      {"transformed",
       [=] { return over_numbers(over_numbers(made<DiagonalNormal<double>>(zeros, ones))); }},
      {"truncated", [] { return over_range(truncated(), 0, 1); }},
      {"uniform", [=] { return over_range(made<Uniform<double>>(zeros, ones), 0, 1); }},
      {"von_mises", [=] { return over_range(made<VonMises<double>>(zeros, ones), -pi, pi); }},
  };
}

/// A mixture whose logits are trained on rows of some of its components.
struct MixtureRow {
  std::function<Bases()> components;
  Numbers logits;  // of the rows
  Beaten beaten;
};

template <class D, class A>
std::function<Bases()> each(const std::vector<A>& arguments) {
  return [=] {
    Bases components;
    for (const A& argument : arguments) components.push_back(std::make_unique<D>(argument));
    return components;
  };
}

// Rows of whole numbers have probabilities, which no density is to be compared with.
std::map<std::string, MixtureRow> rows_of_mixtures() {
  return {
      {"bernoulli", {each<Bernoulli<double>, double>({0.95, 0.05}), {9, 0}, Beaten::untrained}},
      {"categorical",
       {each<Categorical<double>, Numbers>({{18, 1, 1}, {1, 1, 18}}), {9, 0}, Beaten::untrained}},
      {"dirichlet",
       {each<Dirichlet<double>, Numbers>({{40, 3, 3}, {3, 40, 3}, {3, 3, 40}, {5, 5, 5}}),
        {9, 8, 0, 0},
        Beaten::untrained_and_normal}}};
}

std::unique_ptr<Mixture<double>> mixture(const MixtureRow& row) {
  return std::make_unique<Mixture<double>>(row.components());
}

Tensor<double> drawn(const MixtureRow& row, Index count, std::uint64_t seed) {
  const auto source = mixture(row);
  std::ranges::copy(row.logits, source->logits().mutable_values().begin());
  Tape<double> tape;
  Context<double> context{.random = RandomKey(seed)};
  return Tensor<double>(source->sample(tape, count, context).value());
}

}  // namespace

PartModels models_of_distributions() {
  PartModels models;
  for (const auto& [name, make] : rows_of_bases()) {
    models.emplace(name, PartModel{make, [](Index count, std::uint64_t seed) {
                                     return moons(count, seed, [](double x) { return x; });
                                   }});
  }
  for (const auto& [name, row] : rows_of_mixtures()) {
    const auto rows = [row = row](Index count, std::uint64_t seed) {
      return drawn(row, count, seed);
    };
    models.emplace(name, PartModel{[row = row] { return mixture(row); }, rows, row.beaten});
  }
  return models;
}

}  // namespace fjord::test
