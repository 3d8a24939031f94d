#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "fjord/apps/density/baseline.hpp"
#include "fjord/apps/density/k_means.hpp"
#include "fjord/apps/density/row_loops.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

constexpr double component_ridge = 1e-6;

class Mixture final : public Baseline {
 public:
  Mixture(std::vector<Gaussian> parts, std::vector<double> shares, Index given)
      : parts_(std::move(parts)),
        log_shares_(std::move(shares)),
        given_(static_cast<std::size_t>(given)) {
    for (double& share : log_shares_) share = std::log(share);
  }

  NormalMixture parts() const {
    NormalMixture result;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      const std::size_t dim = parts_[k].mean().size();
      result.means.push_back(parts_[k].mean());
      result.shares.push_back(std::exp(log_shares_[k]));
      std::vector<double>& factor = result.factors.emplace_back();
      for (std::size_t i = 0; i < dim; ++i)
        for (std::size_t j = 0; j <= i; ++j) factor.push_back(parts_[k].factor(i, j));
    }
    return result;
  }

  Tensor<double> log_density(const Tensor<double>& rows, Workers& workers) const override {
    Tensor<double> result = Tensor<double>::zeros({rows.shape()[0]});
    for_row_blocks(rows, workers, [&](std::size_t first, const RowBlock& block) {
      const std::vector<double> joints = joint(block);
      RowBlock known = block;
      known.columns = given_;
      const std::vector<double> weights = given_ == 0 ? joints : joint(known);
      for (std::size_t r = 0; r < block.rows; ++r) {
        const double log_joint = log_sum_exp(of_row(joints, r));
        result.storage()[first + r] =
            given_ == 0 ? log_joint : log_joint - log_sum_exp(of_row(weights, r));
      }
    });
    return result;
  }

  // For each row of a block, the log-density of each part there times the part's share.
  std::vector<double> joint(const RowBlock& block) const {
    std::vector<double> by_row(block.rows * parts_.size());
    std::vector<double> found(block.rows);
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      parts_[k].log_densities(block, found);
      for (std::size_t r = 0; r < block.rows; ++r)
        by_row[r * parts_.size() + k] = log_shares_[k] + found[r];
    }
    return by_row;
  }

  std::span<const double> of_row(const std::vector<double>& by_row, std::size_t row) const {
    return std::span(by_row).subspan(row * parts_.size(), parts_.size());
  }

 private:
  std::vector<Gaussian> parts_;
  std::vector<double> log_shares_;
  std::size_t given_;
};

/// The state of expectation maximisation: what share of each row belongs to each part.
class Maximisation final {
 public:
  Maximisation(const WeightedRows& rows, std::vector<std::vector<double>> memberships,
               Workers& workers, const Stop& stop)
      : rows_(rows),
        by_row_(rows.values.to_vector()),
        workers_(workers),
        stop_(stop),
        memberships_(std::move(memberships)) {}

  MixtureFit fit() {
    constexpr int most_rounds = 100;
    constexpr double least_gain = 1e-3;
    MixtureFit result;
    std::unique_ptr<Mixture> mixture = maximise();
    for (int round = 0; round < most_rounds; ++round) {
      const double now = expect(*mixture);
      const bool is_done = round > 0 && now - result.curve.back() < least_gain;
      result.curve.push_back(now);
      mixture = maximise();
      if (is_done || stop_()) break;
    }
    result.parts = mixture->parts();
    result.components = static_cast<Index>(result.parts.shares.size());
    result.model = std::move(mixture);
    result.memberships = std::move(memberships_);
    return result;
  }

 private:
  // A part to which no row belongs goes.
  std::unique_ptr<Mixture> maximise() {
    std::erase_if(memberships_,
                  [](const std::vector<double>& share) { return !(sum_of(share) > 0); });
    const double all = sum_of(rows_.weights);
    std::vector<std::optional<Gaussian>> fitted(memberships_.size());
    workers_.run(memberships_.size(), [&](int, std::size_t k) {
      fitted[k] = gaussian_of(by_row_, rows_.values.shape()[1], memberships_[k], component_ridge);
    });
    std::vector<Gaussian> parts;
    std::vector<double> shares;
    for (std::size_t k = 0; k < memberships_.size(); ++k) {
      parts.push_back(std::move(*fitted[k]));
      shares.push_back(sum_of(memberships_[k]) / all);
    }
    return std::make_unique<Mixture>(std::move(parts), std::move(shares), rows_.given);
  }

  // Gives every row to the parts; returns the mean log-density.
  double expect(const Mixture& mixture) {
    std::vector<double> log_density(rows_.weights.size());
    for_row_blocks(rows_.values, workers_, [&](std::size_t first, const RowBlock& block) {
      const std::vector<double> joints = mixture.joint(block);
      for (std::size_t r = 0; r < block.rows; ++r) {
        const std::span<const double> each = mixture.of_row(joints, r);
        const std::size_t row = first + r;
        log_density[row] = log_sum_exp(each);
        for (std::size_t k = 0; k < each.size(); ++k)
          memberships_[k][row] = rows_.weights[row] * exp_beside_one(each[k] - log_density[row]);
      }
    });
    return weighted_mean(log_density, rows_.weights);
  }

  const WeightedRows& rows_;
  std::vector<double> by_row_;
  Workers& workers_;
  const Stop& stop_;
  std::vector<std::vector<double>> memberships_;  // as in MixtureFit
};

MixtureFit fit_from_clusters(const WeightedRows& rows, std::size_t parts, const RandomKey& random,
                             Workers& workers, const Stop& stop) {
  const auto nearest = k_means(rows.values, rows.weights, parts, random, workers, stop);
  std::vector<std::vector<double>> memberships(parts, std::vector<double>(nearest.size(), 0.0));
  for (std::size_t i = 0; i < nearest.size(); ++i) memberships[nearest[i]][i] = rows.weights[i];
  return Maximisation(rows, std::move(memberships), workers, stop).fit();
}

// More of them are likelier on the rows that they are fitted to, but not on others. Of many rows,
// all are about as good and take long.
std::size_t starts_for(Index rows) {
  constexpr Index most = 5;
  constexpr Index rows_in_all = 50'000;
  return static_cast<std::size_t>(
      std::clamp(rows_in_all / std::max<Index>(rows, 1), Index(1), most));
}

}  // namespace

std::unique_ptr<Baseline> fit_gaussian(const WeightedRows& rows) {
  require(!rows.weights.empty(), "gaussian", "at least one row is needed");
  std::vector<Gaussian> parts;
  parts.push_back(
      gaussian_of(rows.values.to_vector(), rows.values.shape()[1], rows.weights, component_ridge));
  return std::make_unique<Mixture>(std::move(parts), std::vector<double>{1.0}, rows.given);
}

MixtureFit fit_mixture(const WeightedRows& rows, Index components, const RandomKey& random,
                       Workers& workers, const Stop& stop) {
  const Index count = rows.values.shape()[0];
  require(components > 0 && components <= count, "mixture", [&] {
    return "between 1 component and " + std::to_string(count) + " are needed, got " +
           std::to_string(components);
  });
  const auto parts = static_cast<std::size_t>(components);
  const std::size_t starts = components == 1 ? 1 : starts_for(count);
  if (starts == 1) return fit_from_clusters(rows, parts, random.fold(0), workers, stop);
  std::vector<MixtureFit> fits(starts);
  workers.run(starts, [&](int, std::size_t start) {
    if (start > 0 && stop()) return;
    Workers own(1);
    fits[start] = fit_from_clusters(rows, parts, random.fold(start), own, stop);
  });
  return std::move(*std::ranges::max_element(fits, {}, [](const MixtureFit& fit) {
    return fit.curve.empty() ? -std::numeric_limits<double>::infinity() : fit.curve.back();
  }));
}

MixtureFit choose_mixture(const WeightedRows& rows, const WeightedRows& validation,
                          const RandomKey& random, Workers& workers, const Stop& stop) {
  constexpr Index most = 25;
  constexpr int patience = 6;
  MixtureFit best;
  double best_score = -std::numeric_limits<double>::infinity();
  int worse = 0;
  for (Index components = 1; components <= most; ++components) {
    if (components > rows.values.shape()[0] || worse == patience) break;
    if (best.model != nullptr && stop()) break;
    MixtureFit fitted = fit_mixture(
        rows, components, random.fold(static_cast<std::uint64_t>(components)), workers, stop);
    const double score = mean_log_density(*fitted.model, validation, workers);
    worse = score > best_score ? 0 : worse + 1;
    if (worse > 0 && best.model != nullptr) continue;
    best = std::move(fitted);
    best_score = score;
  }
  return best;
}

MixtureFit choose_mixture_from(std::vector<std::vector<double>> memberships,
                               const WeightedRows& rows, const WeightedRows& validation,
                               const RandomKey& random, Workers& workers, const Stop& stop) {
  MixtureFit chosen = choose_mixture(rows, validation, random, workers, stop);
  MixtureFit other = Maximisation(rows, std::move(memberships), workers, stop).fit();
  const bool is_better = mean_log_density(*other.model, validation, workers) >
                         mean_log_density(*chosen.model, validation, workers);
  return is_better ? std::move(other) : std::move(chosen);
}

}  // namespace fjord::apps::density
