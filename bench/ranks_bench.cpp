// Prints what messages between ranks cost, and the efficiency that follows for many of them:
// mpirun -n 2 ranks_bench [FILE], which gets the table for docs/scaling.gp.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

#include "fjord/autodiff/launched_ranks.hpp"
#include "fjord/autodiff/tree_sum.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/ode/gradient_modes.hpp"

namespace {

using namespace fjord;
using namespace fjord::flows;

constexpr int runs = 50;
constexpr Index shard_rows = ShardedModel<float>::default_rows;

struct Network {
  double latency;    // s a message
  double bandwidth;  // bytes a second
  double adding;     // bytes of gradients copied and added a second
};

struct Sized {
  const char* name;
  Index dim;
  Index blocks;
  std::vector<Index> hidden;
  double parameters = 0;
  double shard_seconds = 0;  // of one shard's loss and gradient on one thread
};

// Half a round trip between ranks 0 and 1.
double message_seconds(const Communicator& ranks, std::size_t bytes) {
  std::string message(bytes, 'x');
  const auto round_trip = [&] {
    if (ranks.rank() == 0) ranks.send(1, message);
    if (ranks.rank() <= 1) ranks.receive(1 - ranks.rank(), message);
    if (ranks.rank() == 1) ranks.send(0, message);
  };
  return bench::shortest_seconds(runs, round_trip) / 2;
}

void measure(Sized& model) {
  FlowSettings settings;
  settings.dim = model.dim;
  settings.blocks = model.blocks;
  settings.hidden = model.hidden;
  SolverSettings solver;
  solver.solve.rtol = 1e-3;
  solver.solve.atol = 1e-5;
  solver.trace = model.dim > 2 ? Trace::hutchinson : Trace::exact;
  const auto flow = make_flow<float>(settings, solver, RandomKey(1));
  for (const auto& p : nn::parameters_of(*flow))
    model.parameters += static_cast<double>(p.parameter->value().size());
  Tensor<float> data = Tensor<float>::zeros({shard_rows, model.dim});
  RandomKey(3).normal(data.storage());
  std::vector<std::uint32_t> rows(shard_rows);
  std::iota(rows.begin(), rows.end(), 0U);
  Workers workers(1);
  ShardedModel<float> sharded(*flow, workers);
  model.shard_seconds = bench::shortest_seconds(model.parameters > 1e5 ? 3 : runs, [&] {
    sharded.loss_and_gradient(data, rows, &ode::direct, RandomKey(2));
  });
}

// Up the tree a node with its addition, down a broadcast, each of one message a level; the lengths
// of that broadcast and the program's word after the step are three messages a level more.
double communication(double ranks, const Sized& model, const Network& network) {
  const double levels = std::ceil(std::log2(ranks));
  const double bytes = sizeof(float) * model.parameters;
  return levels * (5 * network.latency + 2 * bytes / network.bandwidth + bytes / network.adding);
}

double efficiency(double ranks, double batch, const Sized& model, const Network& network) {
  const double shards = std::ceil(batch / static_cast<double>(shard_rows));
  const double step = std::ceil(shards / ranks) * model.shard_seconds +
                      (ranks > 1 ? communication(ranks, model, network) : 0);
  return shards * model.shard_seconds / (ranks * step);
}

// The rows of a batch for which a tenth of a step is communication.
double tenth_batch(double ranks, const Sized& model, const Network& network) {
  return 9 * communication(ranks, model, network) / model.shard_seconds * ranks *
         static_cast<double>(shard_rows);
}

void print_table(std::FILE* to, const std::array<Sized, 3>& models, const Network& network) {
  std::fprintf(to,
               "# ranks, for each model: efficiency of the small batch, of the large one, rows "
               "of a tenth\n");
  for (double ranks = 1; ranks <= 4096; ranks *= 2) {
    std::fprintf(to, "%4.0f", ranks);
    for (const Sized& model : models) {
      for (const double batch : {65'536.0, 1'048'576.0})
        std::fprintf(to, "  %.3f", efficiency(ranks, batch, model, network));
      std::fprintf(to, "  %9.0f", ranks > 1 ? tenth_batch(ranks, model, network) : 0);
    }
    std::fprintf(to, "\n");
  }
}

// A gradient of every rank.
class Gradients final : public Combination {
 public:
  Gradients(const Communicator& ranks, double parameters)
      : ranks_(ranks), values_(static_cast<std::size_t>(parameters), 1.0F) {}

  void begin() override {
    const auto rank = static_cast<std::size_t>(ranks_.rank());
    sum_.reset(static_cast<std::size_t>(ranks_.size()));
    sum_.push({rank, rank + 1, values_, {}});
  }

  void add(std::string_view following) override { sum_.push_written(following); }

  void write(std::string& message) const override { sum_.write(message); }

 private:
  const Communicator& ranks_;
  std::vector<float> values_;
  TreeSum<float> sum_;
};

// The time of a whole sum over the ranks that there are.
double sum_seconds(const Communicator& ranks, const Sized& model) {
  Gradients parts(ranks, model.parameters);
  std::string message;
  return bench::shortest_seconds(runs, [&] { combine(ranks, parts, message); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::unique_ptr<const Communicator> ranks = launched_ranks();
  if (ranks->size() < 2) {
    std::fprintf(stderr, "ranks_bench: two ranks are needed: mpirun -n 2 ranks_bench\n");
    return 2;
  }
  std::array<Sized, 3> models{{{"moons, 4 blocks of 8,8", 2, 4, {8, 8}},
                               {"table, 2 blocks of 64,64", 8, 2, {64, 64}},
                               {"large, 1 block of 700,700,700", 32, 1, {700, 700, 700}}}};
  constexpr std::size_t long_message = 4'000'000;
  Network network{message_seconds(*ranks, 1), 0, 0};
  network.bandwidth =
      static_cast<double>(long_message) / (message_seconds(*ranks, long_message) - network.latency);
  for (Sized& model : models) {
    if (ranks->rank() == 0) measure(model);
    model.parameters =
        std::stod(from_first_rank(*ranks, [&] { return std::to_string(model.parameters); }));
  }
  std::array<double, 3> sums{};
  std::ranges::transform(models, sums.begin(),
                         [&](const Sized& model) { return sum_seconds(*ranks, model); });
  if (ranks->rank() > 0) return 0;
  // Of two ranks, the sum of the largest gradient takes two messages besides.
  const double bytes = sizeof(float) * models.back().parameters;
  network.adding = bytes / (sums.back() - 2 * bytes / network.bandwidth);
  std::printf("latency %.2f us, bandwidth %.2f GB/s, copying and adding %.2f GB/s\n",
              network.latency * 1e6, network.bandwidth / 1e9, network.adding / 1e9);
  for (std::size_t i = 0; i < models.size(); ++i) {
    std::printf("%-30s %8.0f parameters, %.3f ms a shard, %.1f us a sum over %d ranks\n",
                models[i].name, models[i].parameters, models[i].shard_seconds * 1e3, sums[i] * 1e6,
                ranks->size());
  }
  print_table(stdout, models, network);
  if (argc > 1) {
    std::FILE* file = std::fopen(argv[1], "w");
    if (file == nullptr) return 1;
    print_table(file, models, network);
    std::fclose(file);
  }
  return 0;
}
