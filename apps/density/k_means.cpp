#include "fjord/apps/density/k_means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/apps/density/row_loops.hpp"

namespace fjord::apps::density {
namespace {

class KMeans final {
 public:
  KMeans(const Tensor<double>& rows, const std::vector<double>& weights, Workers& workers)
      : rows_(rows),
        weights_(weights),
        workers_(workers),
        dim_(static_cast<std::size_t>(rows.shape()[1])),
        nearest_(weights.size(), 0),
        distances_(weights.size(), std::numeric_limits<double>::infinity()) {}

  void choose_centres(std::size_t clusters, const RandomKey& random) {
    const auto candidates = 2 + static_cast<std::size_t>(std::log(clusters));
    std::vector<double> draws(clusters * candidates);
    random.uniform(std::span<double>(draws));
    const std::span<const double> all(draws);
    for (std::size_t k = 0; k < clusters; ++k)
      add_centre(all.subspan(k * candidates, k == 0 ? 1 : candidates));
  }

  void move_centres(const std::function<bool()>& stop) {
    constexpr int rounds = 300;
    constexpr double least = 1e-4;
    find_nearest();
    for (int round = 0; round < rounds; ++round) {
      const double moved = move_once();
      find_nearest();
      if (moved < least || stop()) break;
    }
  }

  const std::vector<std::size_t>& nearest() const { return nearest_; }

 private:
  double number(std::size_t row, std::size_t column) const {
    return rows_.storage()[column * weights_.size() + row];
  }

  // Adds the best of the rows that the numbers in [0, 1) draw.
  void add_centre(std::span<const double> draws) {
    std::vector<double> chances(weights_);
    if (!centres_.empty())
      for (std::size_t i = 0; i < chances.size(); ++i) chances[i] *= distances_[i];
    const double total = sum_of(chances);
    std::vector<double> best;
    std::vector<double> best_distances;
    double least = std::numeric_limits<double>::infinity();
    for (const double u : draws) {
      std::vector<double> centre = row_numbers(drawn(chances, u * total));
      std::vector<double> distances = distances_;
      lower_distances(centre, distances);
      double left = 0;
      for (std::size_t i = 0; i < distances.size(); ++i) left += weights_[i] * distances[i];
      if (!best.empty() && !(left < least)) continue;
      least = left;
      best = std::move(centre);
      best_distances = std::move(distances);
    }
    centres_.push_back(std::move(best));
    distances_ = std::move(best_distances);
  }

  static std::size_t drawn(const std::vector<double>& chances, double left) {
    std::size_t row = 0;
    while (row + 1 < chances.size() && left >= chances[row]) left -= chances[row++];
    return row;
  }

  std::vector<double> row_numbers(std::size_t row) const {
    std::vector<double> numbers;
    for (std::size_t d = 0; d < dim_; ++d) numbers.push_back(number(row, d));
    return numbers;
  }

  // The squared distances of a block from a centre.
  void distances_of(const RowBlock& block, const std::vector<double>& centre,
                    std::span<double> result) const {
    std::ranges::fill(result, 0.0);
    for (std::size_t d = 0; d < dim_; ++d) {
      const double* numbers = block.first + d * block.stride;
      for (std::size_t r = 0; r < block.rows; ++r)
        result[r] += (numbers[r] - centre[d]) * (numbers[r] - centre[d]);
    }
  }

  void lower_distances(const std::vector<double>& centre, std::vector<double>& distances) const {
    for_row_blocks(rows_, workers_, [&](std::size_t first, const RowBlock& block) {
      std::vector<double> found(block.rows);
      distances_of(block, centre, found);
      for (std::size_t r = 0; r < block.rows; ++r)
        distances[first + r] = std::min(distances[first + r], found[r]);
    });
  }

  void find_nearest() {
    for_row_blocks(rows_, workers_, [&](std::size_t first, const RowBlock& block) {
      std::vector<double> least(block.rows, std::numeric_limits<double>::infinity());
      std::vector<double> found(block.rows);
      for (std::size_t k = 0; k < centres_.size(); ++k) {
        distances_of(block, centres_[k], found);
        for (std::size_t r = 0; r < block.rows; ++r) {
          if (found[r] >= least[r]) continue;
          least[r] = found[r];
          nearest_[first + r] = k;
        }
      }
    });
  }

  // Returns the sum of the squares of what the centres moved by; one without rows stays.
  double move_once() {
    std::vector<double> totals(centres_.size(), 0.0);
    std::vector<std::vector<double>> sums(centres_.size(), std::vector<double>(dim_, 0.0));
    for (std::size_t i = 0; i < weights_.size(); ++i) totals[nearest_[i]] += weights_[i];
    for (std::size_t d = 0; d < dim_; ++d)
      for (std::size_t i = 0; i < weights_.size(); ++i)
        sums[nearest_[i]][d] += weights_[i] * number(i, d);
    double moved = 0;
    for (std::size_t k = 0; k < centres_.size(); ++k) {
      if (!(totals[k] > 0)) continue;
      for (std::size_t d = 0; d < dim_; ++d) {
        const double to = sums[k][d] / totals[k];
        moved += (to - centres_[k][d]) * (to - centres_[k][d]);
        centres_[k][d] = to;
      }
    }
    return moved;
  }

  const Tensor<double>& rows_;
  const std::vector<double>& weights_;
  Workers& workers_;
  std::size_t dim_;
  std::vector<std::vector<double>> centres_;
  std::vector<std::size_t> nearest_;
  std::vector<double> distances_;  // squared, from the nearest of the first centres
};

}  // namespace

std::vector<std::size_t> k_means(const Tensor<double>& rows, const std::vector<double>& weights,
                                 std::size_t clusters, const RandomKey& random, Workers& workers,
                                 const std::function<bool()>& stop) {
  KMeans means(rows, weights, workers);
  means.choose_centres(clusters, random);
  means.move_centres(stop);
  return means.nearest();
}

}  // namespace fjord::apps::density
