#include <cstdio>
#include <exception>

#include "fjord/autodiff/launched_ranks.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/flows/toys/moons.hpp"

using namespace fjord;
using namespace fjord::flows;

// Trains a flow on the two moons, on as many ranks as there are: mpirun -n 4 ranks
int main() {
  try {
    const auto ranks = launched_ranks();
    const Tensor<double> table = Moons(0.06).draw(1000, RandomKey(1));
    const TableRows<double> all(table);
    const Split split = split_rows(all.rows(), 0.2, 0, RandomKey(2));
    const ChosenRows<double> rows(all, split.training), held_out(all, split.validation);
    const auto model = make_flow<double>({}, {.solve = {.rtol = 1e-3, .atol = 1e-5}}, RandomKey(3));
    Workers workers(1, *ranks);
    const FitReport report =
        fit<double>(*model, rows, &held_out, workers, {.epochs = 5, .batch = 400, .rate = 1e-2});
    if (ranks->rank() == 0) std::printf("held-out loss %.17g\n", *report.curve.back().held_out);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
