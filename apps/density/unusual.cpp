#include "fjord/apps/density/unusual.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "fjord/apps/common/table.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::apps::density {
namespace {

constexpr Index most_quantiles = 41;
constexpr Index least_quantiles = 5;
// Quantiles of all columns together, for each row.
constexpr Index most_trials = 2'000;

std::vector<double> quantiles_of(const Tensor<double>& samples, Index column, Index count) {
  std::vector<double> sorted(static_cast<std::size_t>(samples.shape()[0]));
  for (std::size_t i = 0; i < sorted.size(); ++i)
    sorted[i] = samples(static_cast<Index>(i), column);
  std::ranges::sort(sorted);
  std::vector<double> quantiles;
  for (Index q = 0; q < count; ++q) {
    const double place = (static_cast<double>(q) + 0.5) / static_cast<double>(count);
    quantiles.push_back(
        sorted[static_cast<std::size_t>(place * static_cast<double>(sorted.size()))]);
  }
  return quantiles;
}

// A row again and again, with the values tried, column after column.
struct Trials {
  Tensor<double> values;
  Tensor<double> given;
};

Trials trials_of(const Look& look, std::size_t place,
                 const std::vector<std::vector<double>>& quantiles) {
  const auto each = static_cast<Index>(quantiles[0].size());
  const Index count = look.dim * each;
  const Index given = look.rows.shape()[1] - look.dim;
  const auto row = static_cast<Index>(place);
  Trials trials{Tensor<double>::zeros({count, look.dim}),
                given > 0 ? Tensor<double>::zeros({count, given}) : Tensor<double>::zeros({0})};
  for (Index i = 0; i < count; ++i) {
    for (Index k = 0; k < look.dim; ++k) trials.values(i, k) = look.rows(row, k);
    for (Index k = 0; k < given; ++k) trials.given(i, k) = look.rows(row, look.dim + k);
    trials.values(i, i / each) =
        quantiles[static_cast<std::size_t>(i / each)][static_cast<std::size_t>(i % each)];
  }
  return trials;
}

// A value so far from all others that its solve fails is not the best one.
std::vector<double> log_densities_of(LookedAt& model, const Trials& trials) {
  try {
    return model.log_prob(trials.values, trials.given);
  } catch (const ode::SolveFailure&) {
  }
  std::vector<double> reached;
  for (Index i = 0; i < trials.values.shape()[0]; ++i) {
    const std::array<std::uint32_t, 1> row{static_cast<std::uint32_t>(i)};
    try {
      reached.push_back(
          model.log_prob(chosen_rows(trials.values, row), chosen_rows(trials.given, row))[0]);
    } catch (const ode::SolveFailure&) {
      reached.push_back(-HUGE_VAL);
    }
  }
  return reached;
}

}  // namespace

std::vector<UnusualRow> unusual_rows(LookedAt& model, const Look& look, std::size_t count) {
  std::vector<std::size_t> places(look.log_densities.size());
  std::iota(places.begin(), places.end(), std::size_t(0));
  std::ranges::stable_sort(places, {}, [&](std::size_t i) { return look.log_densities[i]; });
  places.resize(std::min(count, places.size()));
  const Index each = std::clamp(most_trials / look.dim, least_quantiles, most_quantiles);
  std::vector<std::vector<double>> quantiles;
  for (Index k = 0; k < look.dim; ++k) quantiles.push_back(quantiles_of(look.samples, k, each));
  std::vector<UnusualRow> rows;
  for (const std::size_t place : places) {
    const Trials trials = trials_of(look, place, quantiles);
    const std::vector<double> reached = log_densities_of(model, trials);
    // A value without a log-density is not the best one.
    const auto best = std::ranges::max_element(
        reached, {}, [](double x) { return std::isnan(x) ? -HUGE_VAL : x; });
    const auto trial = static_cast<Index>(best - reached.begin());
    const double gain = *best - look.log_densities[place];
    rows.push_back({place, trial / each, trials.values(trial, trial / each), gain > 0 ? gain : 0});
  }
  return rows;
}

}  // namespace fjord::apps::density
