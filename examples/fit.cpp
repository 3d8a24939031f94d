#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"

using namespace fjord;

void fit(const std::string& table_file, const std::string& model_file) {
  const Tensor<float> table = load_npy<float>(table_file);
  check_writable(model_file);
  const flows::TableRows<float> rows(table);
  const flows::Split split = flows::split_rows(rows.rows(), 0.1, 0, RandomKey(0));
  const flows::ChosenRows<float> train(rows, split.training), held_out(rows, split.validation);
  flows::TransformedDistribution<float> model(
      flows::make_flow<float>({.dim = rows.dim(), .blocks = 2, .hidden = {16, 16}, .base_scale = 1},
                              {.solve = {.rtol = 1e-3, .atol = 1e-5}}, RandomKey(0)),
      flows::Standardise<float>::of_rows(table));
  Workers workers(2);
  const flows::FitReport report =
      flows::fit<float>(model, train, &held_out, workers, {.epochs = 30, .rate = 1e-2});
  const flows::FitEpoch& best = report.curve[static_cast<std::size_t>(report.best_epoch) - 1];
  std::printf("mean log-density %.3f +- %.3f nats on %lld rows that were held out\n",
              -*best.held_out, best.standard_error.value_or(0),
              static_cast<long long>(held_out.rows()));
  flows::save(model, model_file);
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
