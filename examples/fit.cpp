#include <cstdio>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;

// Fits a density to a table of numbers: fit TABLE.npy MODEL.safetensors
int main(int, char** argv) {
  const Tensor<float> table = load_npy<float>(argv[1]);
  const auto rows = static_cast<std::uint32_t>(table.shape()[0]);
  const flows::FlowSettings settings{.dim = table.shape()[1], .blocks = 2, .hidden = {16, 16}};
  const auto model =
      flows::make_flow<float>(settings, {.solve = {.rtol = 1e-3, .atol = 1e-5}}, RandomKey(0));

  std::vector<Parameter<float>*> parameters;
  for (const auto& p : nn::parameters_of<float>(*model)) parameters.push_back(p.parameter);
  optim::Adam<float> adam(parameters, {.rate = 1e-2});
  Workers workers(2);
  flows::ShardedModel<float> sharded(*model, workers);

  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    const auto order = RandomKey(1).fold(epoch).permutation(rows);
    for (std::size_t first = 0; first < rows; first += 256) {
      const auto batch = std::span(order).subspan(first, std::min<std::size_t>(256, rows - first));
      adam.step(
          sharded.loss_and_gradient(table, batch, flows::Gradient::direct, RandomKey(2)).gradient);
    }
  }
  const auto log_density = sharded.log_prob(table, RandomKey(3)).values;
  double sum = 0;
  for (const float value : log_density.storage()) sum += value;
  std::printf("mean log-density %.3f nats\n", sum / rows);
  nn::save_safetensors(argv[2], flows::state_of(*model, settings));
}
