#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;

// The flow begins at N(0, 0.8^2 I), and must find every column near it.
void check_column(const Tensor<float>& table, Index column) {
  const Index rows = table.shape()[0];
  double mean = 0;
  double square = 0;
  for (Index i = 0; i < rows; ++i) mean += table(i, column) / static_cast<double>(rows);
  for (Index i = 0; i < rows; ++i) square += std::pow(table(i, column) - mean, 2);
  const double deviation = std::sqrt(square / static_cast<double>(rows));
  const std::string name = "column " + std::to_string(column + 1);
  require(std::isfinite(deviation), "fit", name + " holds a number that is not finite");
  require(std::abs(mean) < 5 && deviation > 0.05 && deviation < 5, "fit", [&] {
    return name + " has mean " + std::to_string(mean) + " and deviation " +
           std::to_string(deviation) +
           "; subtract the mean and divide by the deviation first, and leave out constant columns";
  });
}

Tensor<float> load_table(const std::string& file) {
  Tensor<float> table = load_npy<float>(file);
  require(table.shape().rank() == 2 && table.shape()[0] > 1 && table.shape()[1] > 0, "fit", [&] {
    return file +
           ": a table [rows, columns] of at least two rows is needed, got an array of shape " +
           to_string(table.shape());
  });
  for (Index k = 0; k < table.shape()[1]; ++k) check_column(table, k);
  return table;
}

void fit(const std::string& table_file, const std::string& model_file) {
  const Tensor<float> table = load_table(table_file);
  check_writable(model_file);
  const auto rows = static_cast<std::uint32_t>(table.shape()[0]);
  const flows::FlowSettings settings{.dim = table.shape()[1], .blocks = 2, .hidden = {16, 16}};
  const auto model =
      flows::make_flow<float>(settings, {.solve = {.rtol = 1e-3, .atol = 1e-5}}, RandomKey(0));

  const auto parameters = nn::parameter_pointers(nn::parameters_of(*model));
  optim::Adam<float> adam(parameters, {.rate = 1e-2});
  Workers workers(2);
  flows::ShardedModel<float> sharded(*model, workers);

  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    const auto order = RandomKey(1).fold(epoch).permutation(rows);
    for (std::size_t first = 0; first < rows; first += 256) {
      const auto batch = std::span(order).subspan(first, std::min<std::size_t>(256, rows - first));
      adam.step(sharded.loss_and_gradient(table, batch, &ode::direct, RandomKey(2)).gradient);
    }
  }
  const auto log_density = sharded.log_prob(table, RandomKey(3)).values;
  double sum = 0;
  for (const float value : log_density.storage()) sum += value;
  std::printf("mean log-density %.3f nats\n", sum / rows);
  flows::save(*model, model_file);
}

// Fits a density to a table of numbers: fit TABLE.npy MODEL.safetensors
int main(int argc, char** argv) {
  try {
    require(argc == 3, "fit", "two names are needed: fit TABLE.npy MODEL.safetensors");
    std::error_code none;
    require(!std::filesystem::equivalent(argv[1], argv[2], none), "fit",
            "the model needs another name than the table");
    fit(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
