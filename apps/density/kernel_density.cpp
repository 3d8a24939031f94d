#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/baseline.hpp"
#include "fjord/apps/density/row_loops.hpp"

namespace fjord::apps::density {
namespace {

// The squared distances of a row from all rows of a fit, in the columns that are given, and in all.
struct KernelDistances {
  std::vector<double> given;
  std::vector<double> all;
};

/// Where kernels stand, and how much each counts.
class KernelRows final {
 public:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  explicit KernelRows(const WeightedRows& rows)
      : values_(rows.values),
        given_(static_cast<std::size_t>(rows.given)),
        total_(sum_of(rows.weights)),
        weights_(rows.weights) {
    for (const double weight : rows.weights) log_weights_.push_back(std::log(weight));
  }

  KernelDistances distances(const Tensor<double>& rows, Index row) const {
    KernelDistances result{{}, std::vector<double>(log_weights_.size(), 0.0)};
    for (Index d = 0; d < rows.shape()[1]; ++d) {
      if (static_cast<std::size_t>(d) == given_) result.given = result.all;
      const double* numbers =
          values_.storage().data() + static_cast<std::size_t>(d) * weights_.size();
      const double here = rows(row, d);
      for (std::size_t i = 0; i < result.all.size(); ++i)
        result.all[i] += (numbers[i] - here) * (numbers[i] - here);
    }
    return result;
  }

  // The log-density at such distances, by the kernels of all rows but one.
  double log_density(const KernelDistances& distances, double width,
                     std::size_t left_out = none) const {
    const auto columns = static_cast<double>(static_cast<std::size_t>(values_.shape()[1]) - given_);
    const double log_unit = columns * std::log(width * std::sqrt(2 * std::numbers::pi));
    const double joint = log_sum(distances.all, width, left_out) - log_unit;
    if (given_ > 0) return joint - log_sum(distances.given, width, left_out);
    return joint - std::log(left_out == none ? total_ : total_ - weights_[left_out]);
  }

 private:
  double log_sum(const std::vector<double>& distances, double width, std::size_t left_out) const {
    const double unit = -1 / (2 * width * width);
    std::vector<double> each(log_weights_);
    for (std::size_t i = 0; i < each.size(); ++i) each[i] += unit * distances[i];
    if (left_out != none) each[left_out] = -std::numeric_limits<double>::infinity();
    return log_sum_exp(each);
  }

  Tensor<double> values_;
  std::size_t given_;
  double total_;
  std::vector<double> weights_;
  std::vector<double> log_weights_;
};

class Kernels final : public Baseline {
 public:
  Kernels(const WeightedRows& rows, double width) : rows_(rows), width_(width) {}

  Tensor<double> log_density(const Tensor<double>& rows, Workers& workers) const override {
    Tensor<double> result = Tensor<double>::zeros({rows.shape()[0]});
    workers.run(static_cast<std::size_t>(rows.shape()[0]), [&](int, std::size_t i) {
      result.storage()[i] = rows_.log_density(rows_.distances(rows, static_cast<Index>(i)), width_);
    });
    return result;
  }

 private:
  KernelRows rows_;
  double width_;
};

// Rows that widths are tried on, at most.
constexpr Index most_tried = 1'000;

// The best of three times that the kernels of all rows take for one other row.
double seconds_for_row(const WeightedRows& rows, const WeightedRows& others, Workers& workers) {
  using Clock = std::chrono::steady_clock;
  const std::unique_ptr<Baseline> model = kernel_density(rows, 1);
  std::vector<std::uint32_t> few(
      static_cast<std::size_t>(std::min<Index>(16, others.values.shape()[0])));
  std::iota(few.begin(), few.end(), 0U);
  const Tensor<double> some = chosen_rows(others.values, few);
  double least = std::numeric_limits<double>::infinity();
  for (int trial = 0; trial < 3; ++trial) {
    const Clock::time_point began = Clock::now();
    model->log_density(some, workers);
    least = std::min(least, std::chrono::duration<double>(Clock::now() - began).count());
  }
  return least / static_cast<double>(few.size());
}

/// Rows that widths are chosen by: others, and some that have kernels, each left out in its turn.
class WidthSearch final {
 public:
  WidthSearch(const WeightedRows& rows, const WeightedRows& validation, Workers& workers)
      : kernels_(rows), rows_(rows), validation_(validation), workers_(workers) {
    others_ = static_cast<std::size_t>(std::min(most_tried, validation.values.shape()[0]));
    // One row alone has none to be held against.
    const Index own = rows.values.shape()[0] > 1 ? rows.values.shape()[0] : 0;
    own_ = std::min(static_cast<std::size_t>(own), static_cast<std::size_t>(most_tried) - others_);
  }

  double best() const {
    constexpr std::size_t count = 20;
    const double ratio = std::pow(100.0, 1.0 / (count - 1));
    std::vector<double> widths;
    for (std::size_t k = 0; k < count; ++k)
      widths.push_back(0.02 * std::pow(ratio, static_cast<double>(k)));
    const std::vector<double> found = scores(widths);
    const double middle =
        widths[static_cast<std::size_t>(std::ranges::max_element(found) - found.begin())];
    return refined(std::log(middle / ratio), std::log(middle * ratio));
  }

 private:
  // The golden section between two logarithms of widths, down to half a percent of a width.
  double refined(double low, double high) const {
    constexpr double section = std::numbers::phi - 1;
    const auto score = [&](double log_width) { return scores({std::exp(log_width)})[0]; };
    double left = high - section * (high - low);
    double right = low + section * (high - low);
    double left_score = score(left);
    double right_score = score(right);
    while (high - low > 0.01) {
      if (left_score >= right_score) {
        high = std::exchange(right, left);
        right_score = left_score;
        left = high - section * (high - low);
        left_score = score(left);
      } else {
        low = std::exchange(left, right);
        left_score = right_score;
        right = low + section * (high - low);
        right_score = score(right);
      }
    }
    return std::exp((low + high) / 2);
  }

  // The mean log-density of the rows by kernels of each width.
  std::vector<double> scores(const std::vector<double>& widths) const {
    const std::size_t count = others_ + own_;
    std::vector<double> weights(count);
    std::vector<std::vector<double>> found(widths.size(), std::vector<double>(count));
    workers_.run(count, [&](int, std::size_t i) {
      const bool is_other = i < others_;
      const WeightedRows& from = is_other ? validation_ : rows_;
      const std::size_t row = is_other ? i : i - others_;
      const KernelDistances distances = kernels_.distances(from.values, static_cast<Index>(row));
      weights[i] = from.weights[row];
      for (std::size_t k = 0; k < widths.size(); ++k)
        found[k][i] = kernels_.log_density(distances, widths[k], is_other ? KernelRows::none : row);
    });
    std::vector<double> means;
    means.reserve(found.size());
    for (const std::vector<double>& of_width : found)
      means.push_back(weighted_mean(of_width, weights));
    return means;
  }

  KernelRows kernels_;
  const WeightedRows& rows_;
  const WeightedRows& validation_;
  Workers& workers_;
  std::size_t others_ = 0;
  std::size_t own_ = 0;
};

}  // namespace

std::unique_ptr<Baseline> kernel_density(const WeightedRows& rows, double width) {
  return std::make_unique<Kernels>(rows, width);
}

WeightedRows rows_for_kernels(const WeightedRows& rows, const WeightedRows& validation,
                              Index scored, double seconds, Workers& workers) {
  // Of the first widths, and of the golden section: each takes at most as long as a score.
  constexpr double widths = 20 + 12;
  // About a second by one thread, which is not worth measuring.
  constexpr double few_pairs = 1e8;
  const auto count = static_cast<double>(rows.weights.size());
  const double scores = widths * static_cast<double>(most_tried) + static_cast<double>(scored);
  if (!std::isfinite(seconds) || count * scores < few_pairs) return rows;
  const double share = seconds / (scores * seconds_for_row(rows, validation, workers));
  if (share >= 1) return rows;
  const auto kept = static_cast<std::size_t>(std::max(few_pairs / scores, share * count));
  std::vector<std::uint32_t> chosen(kept);
  WeightedRows result{{}, std::vector<double>(kept), rows.given};
  for (std::size_t i = 0; i < kept; ++i) {
    chosen[i] = static_cast<std::uint32_t>(i * rows.weights.size() / kept);
    result.weights[i] = rows.weights[chosen[i]];
  }
  result.values = chosen_rows(rows.values, chosen);
  return result;
}

double choose_kernel_width(const WeightedRows& rows, const WeightedRows& validation,
                           Workers& workers) {
  return WidthSearch(rows, validation, workers).best();
}

}  // namespace fjord::apps::density
