#include <cmath>
#include <cstdio>
#include <memory>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/optim/optim.hpp"

using namespace fjord;

// Rows (u, v), u normal and v = exp(sin(2 u) / 2 + 0.3 n), n normal: their entropy is
// log(2 pi e) + log(0.3) = 1.634 nats.
Tensor<float> draw(Index rows, const RandomKey& key) {
  Tensor<float> table = Tensor<float>::zeros({rows, 2});
  key.normal(table.storage());
  for (Index i = 0; i < rows; ++i)
    table(i, 1) = std::exp(std::sin(2 * table(i, 0)) / 2 + 0.3F * table(i, 1));
  return table;
}

std::unique_ptr<flows::Distribution<float>> make_model(const RandomKey& key) {
  using Parts = std::vector<std::unique_ptr<flows::Bijector<float>>>;
  Parts columns;  // the second column is positive
  columns.push_back(std::make_unique<flows::Identity<float>>());
  columns.push_back(std::make_unique<flows::Exp<float>>());
  Parts parts;  // from base to data
  parts.push_back(flows::make_spline_coupling<float>(
      {.dim = 2, .layers = 4, .network = {.hidden = {32, 32}}}, {}, key));
  parts.push_back(
      std::make_unique<flows::Stack<float>>(std::move(columns), std::vector<Index>{1, 1}));
  return std::make_unique<flows::TransformedDistribution<float>>(
      std::make_unique<flows::DiagonalNormal<float>>(std::vector<double>{0, 0},
                                                     std::vector<double>{1, 1}),
      std::make_unique<flows::Chain<float>>(std::move(parts)));
}

// Trains a model of several parts, and saves it: parts FILE
int main(int, char** argv) {
  const auto model = make_model(RandomKey(0));
  const Tensor<float> table = draw(4096, RandomKey(1));
  const Tensor<float> fresh = draw(4096, RandomKey(2));
  const flows::TableRows<float> rows(table), held_out(fresh);
  Workers workers(1);
  flows::FitOptions<float> options{.epochs = 20, .rate = 5e-3};
  options.schedule = optim::schedule_named("cosine", flows::steps_of(options, rows.rows()));
  const flows::FitReport report = flows::fit<float>(*model, rows, &held_out, workers, options);
  std::printf("NLL of fresh rows %.3f nats, at first %.3f\n", *report.curve.back().held_out,
              *report.curve.front().held_out);
  flows::save(*model, argv[1]);
}
