#include <cstdio>
#include <memory>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;

// A continuous flow of one block, for rows of two columns.
std::unique_ptr<flows::Distribution<float>> make_model() {
  return flows::make_flow<float>({.dim = 2, .blocks = 1, .hidden = {64, 64}, .base_scale = 1},
                                 {.solve = {.rtol = 1e-3, .atol = 1e-5}}, RandomKey(0));
}

void print(const char* name, flows::Distribution<float>& model, const Tensor<float>& fresh,
           double evaluations) {
  Workers workers(1);
  flows::ShardedModel<float> sharded(model, workers);
  const auto result = sharded.log_prob(fresh, RandomKey(3));
  double nll = 0;
  for (const float value : result.values.storage()) nll -= value / 4096.0;
  std::printf("%-26s NLL %.3f nats, %8.1f evaluations of the field in training\n", name, nll,
              evaluations);
}

// As text, a point a line: docs/matching.gp draws them.
void write_samples(const std::string& folder, const char* name, flows::Distribution<float>& model) {
  Workers workers(1);
  const Tensor<float> x =
      flows::ShardedModel<float>(model, workers).sample(4096, RandomKey(4)).values;
  std::string text;
  for (Index i = 0; i < 4096; ++i)
    text += std::to_string(x(i, 0)) + " " + std::to_string(x(i, 1)) + "\n";
  write_file(folder + "/" + name + ".txt", text);
}

double evaluations_of(const flows::FitReport& report, Index batches) {
  double sum = 0;
  for (const flows::FitEpoch& epoch : report.curve)
    sum += epoch.evaluations * static_cast<double>(batches);
  return sum;
}

// The eight Gaussians by likelihood, by matching, and by matching with likelihood after it; with a
// folder, leaves samples there: matching [FOLDER]
int main(int argc, char** argv) {
  const flows::ToySet& set = flows::toy_set_named("eight_gaussians");
  const Tensor<float> table = set.draw(4096, RandomKey(1)).as<float>();
  const Tensor<float> fresh = set.draw(4096, RandomKey(2)).as<float>();
  const flows::TableRows<float> rows(table);
  Workers workers(1);
  flows::FitOptions<float> likelihood{.epochs = 20, .rate = 5e-3};
  likelihood.schedule = optim::schedule_named("cosine", flows::steps_of(likelihood, 4096));
  flows::FitOptions<float> matching{.epochs = 200, .rate = 5e-3};
  matching.schedule = optim::schedule_named("cosine", flows::steps_of(matching, 4096));
  matching.loss = std::make_shared<flows::FlowMatching<float>>(
      flows::FlowMatchingOptions{&flows::matching_path_named("optimal_transport"), 0});
  flows::FitOptions<float> tuning{.epochs = 5, .rate = 3e-4};

  std::printf("entropy %.3f nats\n", set.entropy().value());
  const auto by_likelihood = make_model();
  const auto first = flows::fit<float>(*by_likelihood, rows, nullptr, workers, likelihood);
  print("likelihood", *by_likelihood, fresh, evaluations_of(first, 16));
  if (argc > 1) write_samples(argv[1], "likelihood", *by_likelihood);
  const auto by_both = make_model();
  const auto second = flows::fit<float>(*by_both, rows, nullptr, workers, matching);
  print("matching", *by_both, fresh, evaluations_of(second, 16));
  if (argc > 1) write_samples(argv[1], "matching", *by_both);
  const auto third = flows::fit<float>(*by_both, rows, nullptr, workers, tuning);
  print("matching, then likelihood", *by_both, fresh,
        evaluations_of(second, 16) + evaluations_of(third, 16));
  if (argc > 1) write_samples(argv[1], "both", *by_both);
}
