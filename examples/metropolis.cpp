#include <cmath>
#include <cstdio>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;

constexpr Index chains = 256;

// A density learned from samples as the prior of an inference, inside a Metropolis sampler.
//
// The samples are normal with correlation 0.6. Their first coordinate is then seen as 1 with an
// error of 0.5, so that the posterior has the means 0.8 and 0.48 and the variances 0.2 and 0.712.
Tensor<float> samples_of_the_prior(Index rows) {
  Tensor<float> z = Tensor<float>::zeros({rows, 2});
  RandomKey(0).normal(z.storage());
  for (Index i = 0; i < rows; ++i) z(i, 1) = 0.6F * z(i, 0) + 0.8F * z(i, 1);
  return z;
}

void train(flows::ShardedModel<float>& model, const std::vector<Parameter<float>*>& parameters) {
  const std::uint32_t rows = 4096;
  const Tensor<float> data = samples_of_the_prior(rows);
  optim::Adam<float> adam(parameters, {.rate = 1e-2});
  for (std::uint64_t epoch = 0; epoch < 8; ++epoch) {
    const auto order = RandomKey(1).fold(epoch).permutation(rows);
    for (std::size_t first = 0; first < rows; first += 256)
      adam.step(model
                    .loss_and_gradient(data, std::span(order).subspan(first, 256), &ode::direct,
                                       RandomKey(2))
                    .gradient);
  }
}

// The posterior's log-density of every row, up to a constant.
Tensor<float> log_posterior(flows::ShardedModel<float>& prior, const Tensor<float>& x) {
  Tensor<float> result = prior.log_prob(x, RandomKey(2)).values;
  for (Index i = 0; i < chains; ++i) result(i) -= (x(i, 0) - 1) * (x(i, 0) - 1) / (2 * 0.25F);
  return result;
}

int main() {
  const auto model = flows::make_flow<float>({.dim = 2, .blocks = 1, .hidden = {16}},
                                             {.solve = {.rtol = 1e-3, .atol = 1e-5}}, RandomKey(3));
  const auto parameters = nn::parameter_pointers(nn::parameters_of(*model));
  Workers workers(1);
  flows::ShardedModel<float> prior(*model, workers);
  train(prior, parameters);

  Tensor<float> x = Tensor<float>::zeros({chains, 2});
  Tensor<float> log_density = log_posterior(prior, x);
  std::vector<float> noise(2 * chains), chance(chains);
  double count = 0, sums[2] = {}, squares[2] = {};
  for (std::uint64_t step = 0; step < 300; ++step) {
    RandomKey(4).fold(step).normal(std::span(noise));
    RandomKey(5).fold(step).uniform(std::span(chance));
    Tensor<float> proposal = x;
    for (Index i = 0; i < 2 * chains; ++i) proposal.data()[i] += noise[static_cast<std::size_t>(i)];
    const Tensor<float> proposed = log_posterior(prior, proposal);
    for (Index i = 0; i < chains; ++i) {
      if (std::log(chance[static_cast<std::size_t>(i)]) > proposed(i) - log_density(i)) continue;
      log_density(i) = proposed(i);
      for (Index d = 0; d < 2; ++d) x(i, d) = proposal(i, d);
    }
    if (step < 50) continue;  // the chains have yet to spread
    for (Index i = 0; i < chains; ++i, ++count)
      for (Index d = 0; d < 2; ++d) sums[d] += x(i, d), squares[d] += x(i, d) * x(i, d);
  }
  for (int d = 0; d < 2; ++d) {
    const double mean = sums[d] / count;
    std::printf("coordinate %d: mean %.3f, variance %.3f\n", d, mean,
                squares[d] / count - mean * mean);
  }
}
