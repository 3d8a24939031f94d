// Prints what a training step takes on the ranks and threads that there are, the word of rank 0
// after it included: [mpirun -n RANKS] steps_bench THREADS.
#include <cstdio>
#include <string>

#include "fjord/autodiff/launched_ranks.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/toys/moons.hpp"

namespace {

using namespace fjord;
using namespace fjord::flows;

constexpr int runs = 7;
constexpr Index steps = 64;

// The same steps of a new model in every run.
double step_seconds(const FlowSettings& settings, const Tensor<float>& table, Index batch,
                    Workers& workers) {
  SolverSettings solver;
  solver.solve.rtol = 1e-3;
  solver.solve.atol = 1e-5;
  solver.trace = settings.dim > 2 ? Trace::hutchinson : Trace::exact;
  const TableRows<float> rows(table);
  const Communicator& ranks = workers.communicator();
  return bench::shortest_seconds(
             runs,
             [&] {
               const auto model = make_flow<float>(settings, solver, RandomKey(1));
               Fit<float> training(*model, rows, nullptr, workers, {.batch = batch, .rate = 1e-2});
               for (Index i = 0; i < steps; ++i) {
                 training.step();
                 from_first_rank(ranks, [] { return std::string("0"); });
               }
             }) /
         static_cast<double>(steps);
}

}  // namespace

int main(int argc, char** argv) {
  const auto ranks = launched_ranks();
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1;
  Workers workers(threads, *ranks);
  FlowSettings demo;
  demo.dim = 2;
  demo.blocks = 4;
  demo.hidden = {8, 8};
  const Tensor<float> moons = Moons(0.06).draw(8192, RandomKey(1)).as<float>();
  FlowSettings tabular;
  tabular.dim = 8;
  tabular.blocks = 2;
  tabular.hidden = {64, 64};
  Tensor<float> table = Tensor<float>::zeros({8192, tabular.dim});
  RandomKey(3).normal(table.storage());
  const double of_demo = step_seconds(demo, moons, 256, workers);
  const double of_table = step_seconds(tabular, table, 1024, workers);
  if (ranks->rank() == 0) {
    std::printf("%d ranks of %d threads: demo %.3f ms a step, table %.3f ms\n", ranks->size(),
                threads, of_demo * 1e3, of_table * 1e3);
  }
  return 0;
}
