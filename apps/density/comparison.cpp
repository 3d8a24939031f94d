#include "fjord/apps/density/comparison.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <stdexcept>

#include "fjord/apps/common/table_output.hpp"

namespace fjord::apps::density {

Reached reached(const Tensor<double>& log_density, const std::vector<double>& weights,
                const std::string& model) {
  const std::span<const double> values = log_density.storage();
  double total = 0;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw std::range_error("test row " + std::to_string(i + 1) +
                             " has no finite log-density by " + model +
                             "; leave out rows that are far from all others");
    }
    total += weights[i];
    sum += weights[i] * values[i];
  }
  Reached result{.mean = sum / total};
  if (values.size() < 2) return result;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    squares += std::pow(weights[i] * (values[i] - result.mean), 2);
  const auto n = static_cast<double>(values.size());
  result.standard_error = std::sqrt(squares * n / (n - 1)) / total;
  return result;
}

std::string line_of(const std::string& model, const Reached& reached) {
  // The largest number has 309 digits before the point.
  std::array<char, 320> mean{};
  std::array<char, 320> error{"null"};
  std::snprintf(mean.data(), mean.size(), "%.2f", reached.mean);
  if (reached.standard_error)
    std::snprintf(error.data(), error.size(), "%.2f", *reached.standard_error);
  return model + "  " + mean.data() + " +- " + error.data();
}

void Comparison::add(const std::string& key, const std::string& name,
                     const Tensor<double>& log_density) {
  entries_.push_back({key, name, log_density, reached(log_density, weights_, name)});
}

void Comparison::keep(std::size_t rows) {
  if (rows == rows_.size()) return;
  rows_.resize(rows);
  weights_.resize(rows);
  for (Entry& entry : std::exchange(entries_, {})) {
    const std::span<const double> first = entry.log_density.storage().subspan(0, rows);
    add(entry.key, entry.name, Tensor<double>::from({static_cast<Index>(rows)}, first));
  }
}

std::string Comparison::lines() const {
  std::string lines;
  for (const Entry& entry : entries_) lines += line_of(entry.name, entry.reached) + "\n";
  return lines;
}

void Comparison::save(const std::string& out) const {
  std::vector<std::string> names{"row"};
  const auto count = static_cast<Index>(rows_.size());
  Tensor<double> table = Tensor<double>::zeros({count, static_cast<Index>(entries_.size()) + 1});
  std::vector<Index> order(rows_.size());
  std::iota(order.begin(), order.end(), Index(0));
  const auto row = [&](Index k) { return rows_[static_cast<std::size_t>(k)]; };
  std::ranges::sort(order, {}, row);
  for (const Entry& entry : entries_) names.push_back(entry.key);
  for (Index i = 0; i < count; ++i) {
    const Index k = order[static_cast<std::size_t>(i)];
    table(i, 0) = static_cast<double>(row(k));
    for (std::size_t e = 0; e < entries_.size(); ++e)
      table(i, static_cast<Index>(e) + 1) = entries_[e].log_density(k);
  }
  save_table(out, table, names);
}

}  // namespace fjord::apps::density
