/// Small flows and data for tests.
#pragma once

#include <memory>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::test {

/// Draws of N(0, deviation^2).
inline Tensor<double> normals(const Shape& shape, std::uint64_t seed, double deviation = 1) {
  Tensor<double> draws = Tensor<double>::zeros(shape);
  RandomKey(seed).normal(draws.storage());
  for (double& x : draws.storage()) x *= deviation;
  return draws;
}

inline flows::SolverSettings numerics(double tolerance, flows::Trace trace = flows::Trace::exact) {
  flows::SolverSettings n;
  n.solve = tolerances(tolerance, tolerance);
  n.trace = trace;
  return n;
}

/// Settings of a model that is quick to evaluate.
inline flows::FlowSettings small_settings() {
  flows::FlowSettings s;
  s.blocks = 2;
  s.hidden = {6, 5};
  return s;
}

/// A model with fresh weights and biases that are not 0.
template <class T>
std::unique_ptr<flows::TransformedDistribution<T>> random_model(const flows::FlowSettings& settings,
                                                                const flows::SolverSettings& n,
                                                                std::uint64_t seed = 1) {
  auto model = flows::make_flow<T>(settings, n, RandomKey(seed));
  std::uint64_t key = 0;
  for (const nn::NamedParameter<T>& p : nn::parameters_of(*model)) {
    if (p.parameter->value().shape().rank() != 1) continue;
    RandomKey(seed).fold(++key).normal(p.parameter->mutable_values());
  }
  return model;
}

/// The log-density of rows under a model.
template <class T>
Tensor<T> log_prob(const flows::Distribution<T>& model, const Tensor<T>& x) {
  Tape<T> tape;
  flows::Context<T> context{.gradient = &ode::values_only};
  return Tensor<T>(model.log_prob(tape.input(x), context).value());
}

}  // namespace fjord::test
