#include "fjord/apps/density/baseline.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "fjord/apps/density/gaussian.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

constexpr double component_ridge = 1e-6;
constexpr std::size_t rows_a_task = 256;

// Row by row, as the loops below take them.
std::vector<double> row_major(const Tensor<double>& rows) {
  const Index dim = rows.shape()[1];
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(rows.size()));
  for (Index i = 0; i < rows.shape()[0]; ++i)
    for (Index d = 0; d < dim; ++d) result.push_back(rows(i, d));
  return result;
}

// Calls f(row, index) for all rows in tasks of the workers.
template <class F>
void for_rows(const std::vector<double>& rows, std::size_t dim, Workers& workers, F f) {
  const std::size_t count = rows.size() / dim;
  workers.run((count + rows_a_task - 1) / rows_a_task, [&](int, std::size_t task) {
    const std::size_t last = std::min(count, (task + 1) * rows_a_task);
    for (std::size_t i = task * rows_a_task; i < last; ++i)
      f(std::span<const double>(rows).subspan(i * dim, dim), i);
  });
}

template <class F>
Tensor<double> log_densities(const Tensor<double>& rows, Workers& workers, F log_density) {
  const std::vector<double> flat = row_major(rows);
  Tensor<double> result = Tensor<double>::zeros({rows.shape()[0]});
  for_rows(
      flat, static_cast<std::size_t>(rows.shape()[1]), workers,
      [&](std::span<const double> row, std::size_t i) { result.storage()[i] = log_density(row); });
  return result;
}

double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

double weighted_mean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
  return sum / sum_of(weights);
}

double log_sum_exp(std::span<const double> values) {
  const double most = *std::ranges::max_element(values);
  if (!std::isfinite(most)) return most;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - most);
  return most + std::log(sum);
}

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
    return log_densities(rows, workers, [this](std::span<const double> row) {
      std::vector<double> each(parts_.size());
      joint(row, each);
      const double log_joint = log_sum_exp(each);
      joint(row.first(given_), each);
      return given_ == 0 ? log_joint : log_joint - log_sum_exp(each);
    });
  }

  // The log-density of each part at a row, or its first numbers, times the part's share.
  void joint(std::span<const double> row, std::span<double> each) const {
    std::vector<double> scratch(row.size());
    for (std::size_t k = 0; k < parts_.size(); ++k)
      each[k] = log_shares_[k] + parts_[k].log_density(row, scratch);
  }

 private:
  std::vector<Gaussian> parts_;
  std::vector<double> log_shares_;
  std::size_t given_;
};

/// The state of expectation maximisation: what share of each row belongs to each part.
class Maximisation final {
 public:
  Maximisation(const WeightedRows& rows, std::size_t parts, const RandomKey& random,
               Workers& workers)
      : flat_(row_major(rows.values)),
        weights_(rows.weights),
        workers_(workers),
        dim_(static_cast<std::size_t>(rows.values.shape()[1])),
        given_(rows.given),
        shares_(parts, std::vector<double>(weights_.size(), 0.0)) {
    move_centres(first_centres(random));
  }

  MixtureFit fit() {
    constexpr int most_rounds = 200;
    constexpr double least_gain = 1e-4;
    MixtureFit result;
    std::unique_ptr<Mixture> mixture = maximise();
    for (int round = 0; round < most_rounds; ++round) {
      const double now = expect(*mixture);
      const bool is_done = round > 0 && now - result.curve.back() < least_gain;
      result.curve.push_back(now);
      if (is_done) break;
      mixture = maximise();
    }
    result.parts = mixture->parts();
    result.components = static_cast<Index>(result.parts.shares.size());
    result.model = std::move(mixture);
    return result;
  }

 private:
  double distance(std::size_t row, std::span<const double> centre) const {
    double sum = 0;
    for (std::size_t d = 0; d < dim_; ++d) {
      const double apart = flat_[row * dim_ + d] - centre[d];
      sum += apart * apart;
    }
    return sum;
  }

  // k-means++: each next centre is a row with a chance in proportion to its squared distance from
  // the nearest one.
  std::vector<double> first_centres(const RandomKey& random) const {
    std::vector<double> uniform(shares_.size());
    random.uniform(std::span<double>(uniform));
    std::vector<double> nearest(weights_.size(), std::numeric_limits<double>::infinity());
    std::vector<double> chances = weights_;
    std::vector<double> centres;
    for (const double u : uniform) {
      double total = 0;
      for (const double chance : chances) total += chance;
      double left = u * total;
      std::size_t row = 0;
      while (row + 1 < chances.size() && left >= chances[row]) left -= chances[row++];
      const auto centre = std::span<const double>(flat_).subspan(row * dim_, dim_);
      for (std::size_t i = 0; i < nearest.size(); ++i) {
        nearest[i] = std::min(nearest[i], distance(i, centre));
        chances[i] = weights_[i] * nearest[i];
      }
      centres.insert(centres.end(), centre.begin(), centre.end());
    }
    return centres;
  }

  // Lloyd's rounds of k-means; in the end every row belongs to its nearest centre.
  void move_centres(std::vector<double> centres) {
    constexpr int rounds = 20;
    std::vector<std::size_t> nearest(weights_.size(), 0);
    for (int round = 0; round < rounds; ++round) {
      if (!find_nearest(centres, nearest) && round > 0) break;
      std::vector<double> totals(shares_.size(), 0.0);
      std::vector<double> sums(centres.size(), 0.0);
      for (std::size_t i = 0; i < weights_.size(); ++i) {
        totals[nearest[i]] += weights_[i];
        for (std::size_t d = 0; d < dim_; ++d)
          sums[nearest[i] * dim_ + d] += weights_[i] * flat_[i * dim_ + d];
      }
      for (std::size_t at = 0; at < sums.size(); ++at)
        if (totals[at / dim_] > 0) centres[at] = sums[at] / totals[at / dim_];
    }
    for (std::size_t i = 0; i < weights_.size(); ++i) shares_[nearest[i]][i] = weights_[i];
  }

  // Returns whether a row has another nearest centre than before.
  bool find_nearest(const std::vector<double>& centres, std::vector<std::size_t>& nearest) const {
    std::vector<char> moved(weights_.size(), 0);
    for_rows(flat_, dim_, workers_, [&](std::span<const double>, std::size_t i) {
      std::size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t k = 0; k < shares_.size(); ++k) {
        const double apart = distance(i, std::span<const double>(centres).subspan(k * dim_, dim_));
        if (apart >= least) continue;
        least = apart;
        best = k;
      }
      moved[i] = best != nearest[i] ? 1 : 0;
      nearest[i] = best;
    });
    return std::ranges::find(moved, 1) != moved.end();
  }

  // A part to which no row belongs goes.
  std::unique_ptr<Mixture> maximise() {
    std::erase_if(shares_, [](const std::vector<double>& share) { return !(sum_of(share) > 0); });
    const double all = sum_of(weights_);
    std::vector<std::optional<Gaussian>> fitted(shares_.size());
    workers_.run(shares_.size(), [&](int, std::size_t k) {
      fitted[k] = gaussian_of(flat_, static_cast<Index>(dim_), shares_[k], component_ridge);
    });
    std::vector<Gaussian> parts;
    std::vector<double> shares;
    for (std::size_t k = 0; k < shares_.size(); ++k) {
      parts.push_back(std::move(*fitted[k]));
      shares.push_back(sum_of(shares_[k]) / all);
    }
    return std::make_unique<Mixture>(std::move(parts), std::move(shares), given_);
  }

  // Gives every row to the parts; returns the mean log-density.
  double expect(const Mixture& mixture) {
    std::vector<double> log_density(weights_.size());
    for_rows(flat_, dim_, workers_, [&](std::span<const double> row, std::size_t i) {
      std::vector<double> each(shares_.size());
      mixture.joint(row, each);
      log_density[i] = log_sum_exp(each);
      for (std::size_t k = 0; k < each.size(); ++k)
        shares_[k][i] = weights_[i] * std::exp(each[k] - log_density[i]);
    });
    return weighted_mean(log_density, weights_);
  }

  std::vector<double> flat_;
  const std::vector<double>& weights_;
  Workers& workers_;
  std::size_t dim_;
  Index given_;
  std::vector<std::vector<double>> shares_;  // of each part in each row, times the row's weight
};

WeightedRows first_rows(const WeightedRows& rows, Index most) {
  const Index count = std::min(most, rows.values.shape()[0]);
  const Index dim = rows.values.shape()[1];
  WeightedRows result{Tensor<double>::zeros({count, dim}), {}, rows.given};
  for (Index i = 0; i < count; ++i) {
    for (Index d = 0; d < dim; ++d) result.values(i, d) = rows.values(i, d);
    result.weights.push_back(rows.weights[static_cast<std::size_t>(i)]);
  }
  return result;
}

class Kernels final : public Baseline {
 public:
  Kernels(const WeightedRows& rows, double width)
      : flat_(row_major(rows.values)),
        dim_(static_cast<std::size_t>(rows.values.shape()[1])),
        given_(static_cast<std::size_t>(rows.given)),
        width_(width) {
    const double total = sum_of(rows.weights);
    for (const double weight : rows.weights) log_weights_.push_back(std::log(weight / total));
  }

  Tensor<double> log_density(const Tensor<double>& rows, Workers& workers) const override {
    return log_densities(rows, workers, [this](std::span<const double> row) {
      return given_ == 0 ? log_joint(row) : log_joint(row) - log_joint(row.first(given_));
    });
  }

 private:
  // Of a row, or its first numbers.
  double log_joint(std::span<const double> row) const {
    std::vector<double> each(log_weights_);
    for (std::size_t i = 0; i < each.size(); ++i) {
      double squares = 0;
      for (std::size_t d = 0; d < row.size(); ++d) {
        const double apart = row[d] - flat_[i * dim_ + d];
        squares += apart * apart;
      }
      each[i] -= squares / (2 * width_ * width_);
    }
    return log_sum_exp(each) -
           static_cast<double>(row.size()) * std::log(width_ * std::sqrt(2 * std::numbers::pi));
  }

  std::vector<double> flat_;
  std::size_t dim_;
  std::size_t given_;
  double width_;
  std::vector<double> log_weights_;
};

}  // namespace

double mean_log_density(const Baseline& model, const WeightedRows& rows, Workers& workers) {
  return weighted_mean(model.log_density(rows.values, workers).to_vector(), rows.weights);
}

std::unique_ptr<Baseline> fit_gaussian(const WeightedRows& rows) {
  require(!rows.weights.empty(), "gaussian", "at least one row is needed");
  std::vector<Gaussian> parts;
  parts.push_back(
      gaussian_of(row_major(rows.values), rows.values.shape()[1], rows.weights, component_ridge));
  return std::make_unique<Mixture>(std::move(parts), std::vector<double>{1.0}, rows.given);
}

MixtureFit fit_mixture(const WeightedRows& rows, Index components, const RandomKey& random,
                       Workers& workers) {
  const Index count = rows.values.shape()[0];
  require(components > 0 && components <= count, "mixture", [&] {
    return "between 1 component and " + std::to_string(count) + " are needed, got " +
           std::to_string(components);
  });
  return Maximisation(rows, static_cast<std::size_t>(components), random, workers).fit();
}

MixtureFit choose_mixture(const WeightedRows& rows, const WeightedRows& validation,
                          const RandomKey& random, Workers& workers,
                          const std::function<bool()>& stop) {
  constexpr Index most = 25;
  constexpr int patience = 6;
  MixtureFit best;
  double best_score = -std::numeric_limits<double>::infinity();
  int worse = 0;
  for (Index components = 1; components <= most; ++components) {
    if (components > rows.values.shape()[0] || worse == patience) break;
    if (best.model != nullptr && stop()) break;
    MixtureFit fitted =
        fit_mixture(rows, components, random.fold(static_cast<std::uint64_t>(components)), workers);
    const double score = mean_log_density(*fitted.model, validation, workers);
    worse = score > best_score ? 0 : worse + 1;
    if (worse > 0 && best.model != nullptr) continue;
    best = std::move(fitted);
    best_score = score;
  }
  return best;
}

std::unique_ptr<Baseline> kernel_density(const WeightedRows& rows, double width) {
  return std::make_unique<Kernels>(rows, width);
}

std::unique_ptr<Baseline> choose_kernel_density(const WeightedRows& rows,
                                                const WeightedRows& validation, Workers& workers) {
  constexpr Index enough = 1'000;
  const WeightedRows scored = first_rows(validation, enough);
  double best = 0;
  double best_score = -std::numeric_limits<double>::infinity();
  const auto attempt = [&](double width) {
    const double score = mean_log_density(Kernels(rows, width), scored, workers);
    if (best > 0 && !(score > best_score)) return;
    best = width;
    best_score = score;
  };
  constexpr int widths = 20;
  const double ratio = std::pow(100.0, 1.0 / (widths - 1));
  for (int k = 0; k < widths; ++k) attempt(0.02 * std::pow(ratio, k));
  double step = std::sqrt(ratio);
  for (int k = 0; k < 3; ++k, step = std::sqrt(step)) {
    const double middle = best;
    attempt(middle / step);
    attempt(middle * step);
  }
  return kernel_density(rows, best);
}

}  // namespace fjord::apps::density
