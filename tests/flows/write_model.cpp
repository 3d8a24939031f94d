/// Writes a model of several parts, rows, and their log-densities, for tests/read_model_test.py.
#include <cstdio>
#include <exception>
#include <string>

#include "fjord/autodiff/npy.hpp"
#include "fjord/flows/affine.hpp"
#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/coupling.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/flows/standardise.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

std::unique_ptr<Distribution<double>> model() {
  const RandomKey key(7);
  std::vector<std::unique_ptr<Bijector<double>>> parts;
  auto network = std::make_unique<nn::Mlp<double>>(
      std::vector<Index>{4, 6, 3}, nn::activation_named<double>("tanh"), key.fold(0));
  parts.push_back(std::make_unique<Ffjord<double>>(
      std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::concat),
      FfjordOptions{.t0 = 0.2, .t1 = 1.3}));
  parts.push_back(std::make_unique<Affine<double>>(3));
  parts.push_back(std::make_unique<Coupling<double>>(
      CouplingSettings{.dim = 3, .network = {.hidden = {8}}},
      std::make_unique<AffineTransformer<double>>(), key.fold(1)));
  parts.push_back(std::make_unique<Standardise<double>>(std::vector<double>{10, -2, 0.5},
                                                        std::vector<double>{3, 0.1, 1}));
  auto whole = std::make_unique<TransformedDistribution<double>>(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0.1, 0, -0.2},
                                               std::vector<double>{1, 0.8, 1.1}),
      std::make_unique<Chain<double>>(std::move(parts)));
  std::uint64_t fold = 2;
  for (const auto& p : nn::parameters_of(*whole)) {
    Tensor<double> noise = Tensor<double>::zeros(p.parameter->value().shape());
    key.fold(++fold).normal(noise.storage());
    const std::span<double> values = p.parameter->mutable_values();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.3 * noise.storage()[i];
  }
  return whole;
}

void write(const std::string& model_file, const std::string& rows_file) {
  const auto made = model();
  save(*made, model_file);
  const auto loaded = load_model<double>(model_file, test::numerics(1e-10));
  Tensor<double> rows = test::normals({20, 3}, 3);
  for (Index i = 0; i < 20; ++i) {
    rows(i, 0) = 10 + 3 * rows(i, 0);
    rows(i, 1) = -2 + 0.1 * rows(i, 1);
  }
  save_npy<double>(rows_file, rows);
  const Tensor<double> log_prob = test::log_prob<double>(*loaded, rows);
  for (const double value : log_prob.storage()) std::printf("%.17g\n", value);
}

}  // namespace
}  // namespace fjord::flows

int main(int, char** argv) {
  try {
    fjord::flows::write(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
