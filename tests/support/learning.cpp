#include "fjord/tests/support/learning.hpp"

#include <cmath>
#include <memory>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/fit.hpp"
#include "fjord/flows/toys/moons.hpp"
#include "fjord/optim/schedules.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::test {
namespace {

// The log-densities of rows under the normal distribution with the moments of other rows.
std::vector<double> normal_log_prob(const Tensor<double>& x, const Tensor<double>& train) {
  const auto n = static_cast<double>(train.shape()[0]);
  double m0 = 0;
  double m1 = 0;
  for (Index i = 0; i < train.shape()[0]; ++i) m0 += train(i, 0) / n, m1 += train(i, 1) / n;
  double a = 0;
  double b = 0;
  double c = 0;
  for (Index i = 0; i < train.shape()[0]; ++i) {
    const double u = train(i, 0) - m0;
    const double v = train(i, 1) - m1;
    a += u * u / n, b += u * v / n, c += v * v / n;
  }
  const double det = a * c - b * b;
  std::vector<double> result;
  for (Index i = 0; i < x.shape()[0]; ++i) {
    const double u = x(i, 0) - m0;
    const double v = x(i, 1) - m1;
    result.push_back(-std::log(2 * std::numbers::pi) - 0.5 * std::log(det) -
                     0.5 * (c * u * u - 2 * b * u * v + a * v * v) / det);
  }
  return result;
}

}  // namespace

Tensor<double> moons(Index count, std::uint64_t seed, const std::function<double(double)>& map) {
  Tensor<double> x = flows::Moons(0.1).draw(count, RandomKey(seed));
  for (double& value : x.storage()) value = map(value);
  return x;
}

Score score(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  double squares = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

void check_learns(flows::Distribution<double>& model, const Tensor<double>& train,
                  const Tensor<double>& fresh, Index epochs, Beaten beaten) {
  const Score untrained = score(log_prob<double>(model, fresh).to_vector());
  Workers workers(2);
  constexpr Index batch = 128;
  // Without a schedule, chance decides how far from the best the last step ends.
  const auto steps = static_cast<std::uint64_t>(epochs * train.shape()[0] / batch);
  const flows::FitOptions<double> options{.epochs = epochs,
                                          .batch = batch,
                                          .rate = 2e-2,
                                          .schedule = std::make_shared<optim::CosineSchedule>(
                                              optim::CosineScheduleOptions{.steps = steps})};
  const flows::FitReport report =
      flows::fit<double>(model, flows::TableRows<double>(train), nullptr, workers, options);
  CHECK(report.failures == 0);
  const Score trained = score(log_prob<double>(model, fresh).to_vector());
  CHECK(trained.mean - untrained.mean > 10 * std::hypot(trained.error, untrained.error));
  if (beaten == Beaten::untrained) return;
  const Score normal = score(normal_log_prob(fresh, train));
  CHECK(trained.mean - normal.mean > 10 * std::hypot(trained.error, normal.error));
}

}  // namespace fjord::test
