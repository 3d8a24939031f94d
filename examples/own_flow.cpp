#include <cstdio>
#include <memory>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/nn/nn.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;
using Parameters = nn::NamedParameters<float>;

// A network that the library does not have: a layer of tanh, each entry scaled by a gate.
class Gated final : public nn::Module<float> {
 public:
  Gated(Index in, Index hidden, Index out, const RandomKey& key)
      : inner_(in, hidden, key.fold(0)),
        gate_(in, hidden, key.fold(1)),
        outer_(hidden, out, key.fold(2)) {}

  Var<float> forward(const Var<float>& x) const override {
    return outer_.forward(tanh(inner_.forward(x)) * sigmoid(gate_.forward(x)));
  }

  void add_parameters(const std::string& prefix, Parameters& list) override {
    inner_.add_parameters(prefix + "inner.", list);
    gate_.add_parameters(prefix + "gate.", list);
    outer_.add_parameters(prefix + "outer.", list);
  }

 private:
  nn::Linear<float> inner_, gate_, outer_;
};

// A block of the flow: the field owns the network, whose parameters the block names.
std::unique_ptr<flows::Bijector<float>> make_block(const RandomKey& key) {
  const auto network = std::make_shared<Gated>(3, 16, 2, key);
  const ode::Field<float> field = [network](const Var<float>& t, const Var<float>& z) {
    return network->forward(nn::with_time(nn::TimeInput::concat, t, z));
  };
  const flows::FfjordOptions options{.solve = {.rtol = 1e-3, .atol = 1e-5}};
  return std::make_unique<flows::Ffjord<float>>(field, nn::parameters_of<float>(*network), options);
}

flows::TransformedDistribution<float> make_model(const RandomKey& key) {
  std::vector<std::unique_ptr<flows::Bijector<float>>> blocks;
  for (std::uint64_t k = 0; k < 2; ++k) blocks.push_back(make_block(key.fold(k)));
  return {std::make_unique<flows::DiagonalNormal<float>>(Tensor<float>{0, 0}, Tensor<float>{1, 1}),
          std::make_unique<flows::Chain<float>>(std::move(blocks))};
}

// Rows (x, x^2 / 2 + 0.3 n), x and n normal: their entropy is log(2 pi e 0.3) = 1.634 nats.
Tensor<float> draw(Index rows, const RandomKey& key) {
  Tensor<float> table = Tensor<float>::zeros({rows, 2});
  key.normal(table.storage());
  for (Index i = 0; i < rows; ++i) table(i, 1) = table(i, 0) * table(i, 0) / 2 + 0.3F * table(i, 1);
  return table;
}

double mean_nll(flows::TransformedDistribution<float>& model, const Tensor<float>& table) {
  Workers workers(1);
  flows::ShardedModel<float> sharded(model, workers);
  double sum = 0;
  const auto result = sharded.log_prob(table, RandomKey(3));
  for (const float value : result.values.storage()) sum -= value;
  return sum / static_cast<double>(table.shape()[0]);
}

// Trains a flow of a custom network, saves its parameters and loads them again: own_flow FILE
int main(int, char** argv) {
  flows::TransformedDistribution<float> model = make_model(RandomKey(0));
  const auto parameters = nn::parameter_pointers(nn::parameters_of<float>(model));
  optim::Adam<float> adam(parameters, {.rate = 1e-2});
  Workers workers(2);
  flows::ShardedModel<float> sharded(model, workers);
  const Tensor<float> table = draw(4096, RandomKey(1));
  for (std::uint64_t epoch = 0; epoch < 15; ++epoch) {
    const auto order = RandomKey(2).fold(epoch).permutation(4096);
    for (std::size_t first = 0; first < order.size(); first += 256) {
      const auto batch = std::span(order).subspan(first, 256);
      adam.step(sharded.loss_and_gradient(table, batch, &ode::direct, RandomKey(3)).gradient);
    }
  }

  nn::State state;
  for (const auto& [name, parameter] : nn::parameters_of<float>(model))
    state.tensors.emplace(name, parameter->value());
  nn::save_safetensors(argv[1], state);
  flows::TransformedDistribution<float> loaded = make_model(RandomKey(4));
  flows::load_parameters<float>(loaded, nn::load_safetensors(argv[1]));

  const Tensor<float> fresh = draw(4096, RandomKey(5));
  std::printf("NLL of fresh rows %.3f nats, of the loaded model %.3f\n", mean_nll(model, fresh),
              mean_nll(loaded, fresh));
}
