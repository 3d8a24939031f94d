#include "fjord/apps/density/energy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace fjord::apps::density {
namespace {

// The rows of x, then those of y, one after another in standardised columns.
std::vector<double> pooled_rows(const Tensor<double>& x, const Tensor<double>& y) {
  const Index n = x.shape()[0];
  const Index count = n + y.shape()[0];
  const Index dim = x.shape()[1];
  std::vector<double> rows(static_cast<std::size_t>(count * dim));
  for (Index k = 0; k < dim; ++k) {
    const auto at = [&](Index i) { return i < n ? x(i, k) : y(i - n, k); };
    double mean = 0;
    for (Index i = 0; i < count; ++i) mean += at(i) / static_cast<double>(count);
    double variance = 0;
    for (Index i = 0; i < count; ++i)
      variance += (at(i) - mean) * (at(i) - mean) / static_cast<double>(count);
    if (!std::isfinite(variance)) {
      throw std::range_error("column " + std::to_string(k + 1) +
                             " has numbers too large for a variance; change its unit");
    }
    const double scale = variance > 0 ? 1 / std::sqrt(variance) : 0;
    for (Index i = 0; i < count; ++i)
      rows[static_cast<std::size_t>(i * dim + k)] = (at(i) - mean) * scale;
  }
  return rows;
}

// The distances between all rows, computed once.
class Distances final {
 public:
  Distances(const std::vector<double>& rows, std::size_t dim, Workers& workers)
      : count_(rows.size() / dim), values_(count_ * count_), sums_(count_) {
    workers.run(count_, [&](int, std::size_t i) {
      for (std::size_t j = 0; j < count_; ++j) {
        double square = 0;
        for (std::size_t k = 0; k < dim; ++k) {
          const double difference = rows[i * dim + k] - rows[j * dim + k];
          square += difference * difference;
        }
        values_[i * count_ + j] = std::sqrt(square);
        sums_[i] += values_[i * count_ + j];
      }
    });
    total_ = std::accumulate(sums_.begin(), sums_.end(), 0.0);
  }

  std::size_t count() const { return count_; }

  // The energy distance of some rows, whose numbers ascend, to all others.
  double energy(const std::vector<std::uint32_t>& group) const {
    double within = 0;
    double all = 0;
    for (std::size_t a = 0; a < group.size(); ++a) {
      const double* row = values_.data() + group[a] * count_;
      for (std::size_t b = 0; b < a; ++b) within += row[group[b]];
      all += sums_[group[a]];
    }
    const auto n = static_cast<double>(group.size());
    const auto m = static_cast<double>(count_ - group.size());
    const double between = all - 2 * within;
    const double within_others = total_ / 2 - within - between;
    return 2 * (between / (n * m) - within / (n * n) - within_others / (m * m));
  }

 private:
  std::size_t count_;
  std::vector<double> values_;
  std::vector<double> sums_;
  double total_ = 0;
};

// A random group of n of all rows, or one row of every pair.
std::vector<std::uint32_t> random_group(std::size_t n, std::size_t all, bool is_paired,
                                        const RandomKey& random) {
  if (!is_paired) {
    std::vector<std::uint32_t> group = random.permutation(static_cast<std::uint32_t>(all));
    group.resize(n);
    std::ranges::sort(group);
    return group;
  }
  std::vector<double> signs(n);
  random.rademacher<double>(signs);
  std::vector<std::uint32_t> group;
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < n; ++i)
      if ((signs[i] > 0) == (half == 0)) group.push_back(static_cast<std::uint32_t>(half * n + i));
  }
  return group;
}

}  // namespace

TwoSample energy_test(const Tensor<double>& x, const Tensor<double>& y,
                      const EnergyOptions& options, const RandomKey& random, Workers& workers) {
  const auto n = static_cast<std::size_t>(x.shape()[0]);
  const Distances distances(pooled_rows(x, y), static_cast<std::size_t>(x.shape()[1]), workers);
  std::vector<std::uint32_t> group(n);
  std::iota(group.begin(), group.end(), 0U);
  TwoSample result{.energy = std::max(0.0, distances.energy(group))};
  // Equal groups may differ in the last bits; distances are about 1.
  const double least = result.energy - 1e-12;
  const auto permutations = static_cast<std::size_t>(options.permutations);
  std::vector<std::uint8_t> reaches(permutations);
  workers.run(permutations, [&](int, std::size_t i) {
    const auto other = random_group(n, distances.count(), options.is_paired, random.fold(i));
    reaches[i] = distances.energy(other) >= least ? 1 : 0;
  });
  const double count = std::accumulate(reaches.begin(), reaches.end(), 1.0);
  result.p_value = count / static_cast<double>(permutations + 1);
  return result;
}

}  // namespace fjord::apps::density
