#include <cstdio>
#include <memory>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/nn/nn.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;

// A field that the library does not have: a layer of tanh, each entry scaled by a gate.
class Gated final : public flows::VectorField<float> {
 public:
  Gated(Index dim, Index hidden, const RandomKey& key)
      : inner_(dim + 1, hidden, key.fold(0)),
        gate_(dim + 1, hidden, key.fold(1)),
        outer_(hidden, dim, key.fold(2)) {}

  // Builds one from what describe() says, for a model file.
  explicit Gated(nn::PartReader<float>& file)
      : Gated(file.size("dim"), file.size("hidden"), RandomKey(0)) {}

  Var<float> slope(const Var<float>& t, const Var<float>& x, const Var<float>&) const override {
    const Var<float> in = nn::with_time(nn::TimeInput::concat, t, x);
    return outer_.forward(tanh(inner_.forward(in)) * sigmoid(gate_.forward(in)));
  }

  nn::Description<float> describe() override {
    return nn::Description<float>("gated")
        .set("dim", outer_.out())
        .set("hidden", outer_.in())
        .inner("inner", inner_)
        .inner("gate", gate_)
        .inner("outer", outer_);
  }

 private:
  nn::Linear<float> inner_, gate_, outer_;
};

flows::TransformedDistribution<float> make_model(const RandomKey& key) {
  std::vector<std::unique_ptr<flows::Bijector<float>>> blocks;
  for (std::uint64_t k = 0; k < 2; ++k) {
    const flows::FfjordOptions options{.solver = {.solve = {.rtol = 1e-3, .atol = 1e-5}}};
    blocks.push_back(std::make_unique<flows::Ffjord<float>>(
        std::make_unique<Gated>(2, 16, key.fold(k)), options));
  }
  return {std::make_unique<flows::DiagonalNormal<float>>(std::vector<double>{0, 0},
                                                         std::vector<double>{1, 1}),
          std::make_unique<flows::Chain<float>>(std::move(blocks))};
}

// Rows (x, x^2 / 2 + 0.3 n), x and n normal: their entropy is log(2 pi e 0.3) = 1.634 nats.
Tensor<float> draw(Index rows, const RandomKey& key) {
  Tensor<float> table = Tensor<float>::zeros({rows, 2});
  key.normal(table.storage());
  for (Index i = 0; i < rows; ++i) table(i, 1) = table(i, 0) * table(i, 0) / 2 + 0.3F * table(i, 1);
  return table;
}

double mean_nll(flows::Distribution<float>& model, const Tensor<float>& table) {
  Workers workers(1);
  flows::ShardedModel<float> sharded(model, workers);
  double sum = 0;
  const auto result = sharded.log_prob(table, RandomKey(3));
  for (const float value : result.values.storage()) sum -= value;
  return sum / static_cast<double>(table.shape()[0]);
}

// Trains a flow of a custom field, saves it and loads it again: own_flow FILE
int main(int, char** argv) {
  flows::TransformedDistribution<float> model = make_model(RandomKey(0));
  const auto parameters = nn::parameter_pointers(nn::parameters_of(model));
  optim::Adam<float> adam(parameters, {.rate = 1e-2});
  Workers workers(2);
  flows::ShardedModel<float> sharded(model, workers);
  const Tensor<float> table = draw(4096, RandomKey(1));
  std::uint64_t step = 0;
  for (std::uint64_t epoch = 0; epoch < 15; ++epoch) {
    const auto order = RandomKey(2).fold(epoch).permutation(4096);
    for (std::size_t first = 0; first < order.size(); first += 256) {
      const auto batch = std::span(order).subspan(first, 256);
      // Every step has its own probes of the trace.
      const RandomKey key = RandomKey(4).fold(step++);
      adam.step(sharded.loss_and_gradient(table, batch, &ode::direct, key).gradient);
    }
  }

  auto types = flows::all_types<float>();
  types.add(std::array{nn::part_type<float, Gated>("gated")});
  flows::save(model, argv[1], {}, types);
  const auto loaded =
      flows::load_model<float>(argv[1], {.solve = {.rtol = 1e-3, .atol = 1e-5}}, types);

  const Tensor<float> fresh = draw(4096, RandomKey(5));
  std::printf("NLL of fresh rows %.3f nats, of the loaded model %.3f\n", mean_nll(model, fresh),
              mean_nll(*loaded, fresh));
}
