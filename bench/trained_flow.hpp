/// The demo's model in the middle of a run.
#pragma once

#include <memory>
#include <vector>

#include "fjord/bench/timing.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/flows/toys/moons.hpp"
#include "fjord/optim/adam.hpp"

namespace fjord::bench {

inline constexpr Index batch = 256;
inline constexpr Index points = 8192;

/// A flow after some training steps, when solves need as many evaluations as in the middle of a
/// run.
class TrainedFlow final {
 public:
  TrainedFlow(Index width, int threads, int steps)
      : data_(flows::make_moons(points, 0.06, RandomKey(1)).as<float>()),
        rows_(points),
        workers_(threads) {
    flows::FlowSettings settings;
    settings.hidden = {width, width};
    flows::SolverSettings numerics;
    numerics.solve.rtol = 1e-3;
    numerics.solve.atol = 1e-5;
    model_ = flows::make_flow<float>(settings, numerics, RandomKey(0));
    sharded_ = std::make_unique<flows::ShardedModel<float>>(*model_, workers_);
    rows_ = RandomKey(2).permutation(points);
    const auto parameters = nn::parameter_pointers(nn::parameters_of(*model_));
    optim::Adam<float> adam(parameters, {.rate = 0.01});
    for (int i = 0; i < steps; ++i) adam.step(step(i).gradient);
  }

  flows::LossAndGradient<float> step(int i, const ode::GradientMode& mode = ode::direct) {
    const auto first = static_cast<std::size_t>(i * batch % points);
    return sharded_->loss_and_gradient(data_, std::span(rows_).subspan(first, batch), &mode,
                                       RandomKey(0));
  }

  struct Cost {
    double seconds;
    double evaluations;
  };

  /// The cheapest of many steps on one batch.
  Cost cost(int runs, const ode::GradientMode& mode = ode::direct) {
    double evaluations = 0;
    const double seconds = shortest_seconds(runs, [&] { evaluations = step(0, mode).evaluations; });
    return {seconds, evaluations};
  }

 private:
  Tensor<float> data_;
  std::vector<std::uint32_t> rows_;
  Workers workers_;
  std::unique_ptr<flows::TransformedDistribution<float>> model_;
  std::unique_ptr<flows::ShardedModel<float>> sharded_;
};

}  // namespace fjord::bench
