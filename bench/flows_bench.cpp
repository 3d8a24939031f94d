// Prints the training steps of coupling and autoregressive flows: see bench/run.sh.
#include <cstdio>
#include <numeric>

#include "fjord/autodiff/blas.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/flows/layered_flows.hpp"
#include "fjord/flows/sharded.hpp"

namespace {

using namespace fjord;
using namespace fjord::flows;

constexpr Index batch = 256;
constexpr int runs = 200;
const LayeredSettings settings{8, 5, {{64, 64}, "tanh", 0}};
const RandomKey key(1);

// The mean negative log-likelihood of a batch with its gradient, on one thread.
void print_step(const char* name, std::unique_ptr<Chain<float>> chain) {
  const auto columns = static_cast<std::size_t>(settings.dim);
  TransformedDistribution<float> model(
      std::make_unique<DiagonalNormal<float>>(std::vector<double>(columns, 0.0),
                                              std::vector<double>(columns, 1.0)),
      std::move(chain));
  Workers workers(1);
  ShardedModel<float> sharded(model, workers);
  Tensor<float> data = Tensor<float>::zeros({batch, settings.dim});
  RandomKey(3).normal(data.storage());
  std::vector<std::uint32_t> rows(batch);
  std::iota(rows.begin(), rows.end(), 0U);
  const double seconds = bench::shortest_seconds(
      runs, [&] { sharded.loss_and_gradient(data, rows, &ode::direct, key); });
  std::printf("%-28s %.3f ms a training step\n", name, seconds * 1e3);
}

}  // namespace

int main() {
  const BlasReport blas = blas_report();
  std::printf("processor %s, BLAS %s, core %s\n", blas.processor.c_str(), blas.library.c_str(),
              blas.core.c_str());
  print_step("RealNVP", make_real_nvp<float>(settings, key));
  print_step("neural spline coupling", make_spline_coupling<float>(settings, {}, key));
  print_step("MAF", make_maf<float>(settings, key));
  print_step("neural spline autoregressive", make_spline_autoregressive<float>(settings, {}, key));
}
