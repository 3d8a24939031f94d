// Prints training steps of flows, next to which the scripts in bench/peers time the same work: see
// bench/run.sh.
#include <cstdio>
#include <span>
#include <string_view>

#include <cblas.h>

#include "fjord/autodiff/blas.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/layered_flows.hpp"
#include "fjord/flows/matching.hpp"

namespace {

using namespace fjord;
using namespace fjord::flows;

constexpr Index narrow_batch = 256;
constexpr Index table_batch = 1000;
constexpr int narrow_steps = 200;
constexpr int table_steps = 10;
const LayeredSettings settings{8, 5, {{64, 64}, "tanh", 0}};
const RandomKey key(1);

struct Work {
  Index rows;
  int steps;
  int threads;
  std::shared_ptr<const Loss<float>> loss = std::make_shared<NegativeLogLikelihood<float>>();
};

struct Step {
  double seconds;
  double evaluations;  // of fields
};

// A step of Adam: the loss of the next rows, its gradient, the update.
Step print_step(const char* name, Distribution<float>& model, const Work& work) {
  Tensor<float> data = Tensor<float>::zeros({work.rows * (work.steps + 3), model.dim()});
  RandomKey(3).normal(data.storage());
  const TableRows<float> rows(data);
  Workers workers(work.threads);
  Fit<float> fit(model, rows, nullptr, workers, {.batch = work.rows, .loss = work.loss});
  for (int i = 0; i < 3; ++i) fit.step();
  const double seconds = bench::median_seconds(work.steps, [&] { fit.step(); });
  std::printf("%-30s %10.3f ms a training step\n", name, seconds * 1e3);
  std::fflush(stdout);
  return {seconds, fit.report().curve.front().evaluations};
}

// Of the matrix products of one evaluation of a network and its tangents along one direction, with
// their gradient: forward, to the weights and to the inputs. Every thread takes its share of the
// rows at once, as whole matrices.
double sgemm_seconds(const std::vector<Index>& sizes, Index rows, int threads) {
  Workers workers(threads);
  const auto share = static_cast<int>(rows / threads);
  const auto widest = static_cast<int>(*std::ranges::max_element(sizes));
  const auto square = [&](int n, int m) {
    return std::vector<float>(static_cast<std::size_t>(n) * static_cast<std::size_t>(m), 0.5F);
  };
  std::vector<std::vector<float>> weights(static_cast<std::size_t>(threads));
  std::vector<std::vector<float>> inputs(weights.size());
  std::vector<std::vector<float>> outputs(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = square(widest, widest);
    inputs[i] = outputs[i] = square(share, widest);
  }
  const auto products = [&](int, std::size_t i) {
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
      const auto in = static_cast<int>(sizes[l]);
      const auto out = static_cast<int>(sizes[l + 1]);
      for (int side = 0; side < 2; ++side) {  // values and tangents
        cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans, share, out, in, 1, inputs[i].data(),
                    share, weights[i].data(), out, 0, outputs[i].data(), share);
        cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, share, in, out, 1, outputs[i].data(),
                    share, weights[i].data(), out, 0, inputs[i].data(), share);
        cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, out, in, share, 1, outputs[i].data(),
                    share, inputs[i].data(), share, 0, weights[i].data(), out);
      }
    }
  };
  return bench::shortest_seconds(10, [&] { workers.run(weights.size(), products); });
}

void print_layered(const char* name, std::unique_ptr<Chain<float>> chain) {
  const auto columns = static_cast<std::size_t>(settings.dim);
  TransformedDistribution<float> model(
      std::make_unique<DiagonalNormal<float>>(std::vector<double>(columns, 0.0),
                                              std::vector<double>(columns, 1.0)),
      std::move(chain));
  print_step(name, model, {narrow_batch, narrow_steps, 1});
}

void print_matching() {
  const auto model =
      make_flow<float>({8, 1, {64, 64, 64}, "elu", nn::TimeInput::concat, 0, 1, 1}, {}, key);
  print_step("matching", *model,
             {narrow_batch, narrow_steps, 1, std::make_shared<FlowMatching<float>>()});
}

void print_table(const char* name, Index columns, const std::vector<Index>& hidden, Trace trace) {
  SolverSettings solver;
  solver.solve.rtol = solver.solve.atol = 1e-5;
  solver.trace = trace;
  const auto model = make_flow<float>(
      {columns, 1, hidden, "softplus", nn::TimeInput::concat, 0, 1, 1}, solver, key);
  constexpr int threads = 2;
  const Step step = print_step(name, *model, {table_batch, table_steps, threads});
  if (trace != Trace::hutchinson) return;
  std::vector<Index> sizes = hidden;
  sizes.insert(sizes.begin(), columns + 1);
  sizes.push_back(columns);
  const double products = step.evaluations * sgemm_seconds(sizes, table_batch, threads);
  std::printf("  sgemm alone, %.0f evaluations:  %10.3f ms; share %.0f %%\n", step.evaluations,
              products * 1e3, 100 * products / step.seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> names(argv + 1, static_cast<std::size_t>(argc - 1));
  const auto is_asked = [&](std::string_view name) {
    return names.empty() || std::ranges::find(names, name) != names.end();
  };
  const BlasReport blas = blas_report();
  std::printf("processor %s, BLAS %s, core %s\n", blas.processor.c_str(), blas.library.c_str(),
              blas.core.c_str());
  if (is_asked("realnvp")) print_layered("realnvp", make_real_nvp<float>(settings, key));
  if (is_asked("coupling"))
    print_layered("coupling", make_spline_coupling<float>(settings, {}, key));
  if (is_asked("maf")) print_layered("maf", make_maf<float>(settings, key));
  if (is_asked("nsf")) print_layered("nsf", make_spline_autoregressive<float>(settings, {}, key));
  if (is_asked("matching")) print_matching();
  if (is_asked("table8")) {
    print_table("table8, two threads", 8, {160, 160, 160}, Trace::hutchinson);
    print_table("table8, exact, two threads", 8, {160, 160, 160}, Trace::exact);
  }
  if (is_asked("table43")) print_table("table43, two threads", 43, {860, 860}, Trace::hutchinson);
}
