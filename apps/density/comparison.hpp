/// What several densities reach on the same rows.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps::density {

/// The mean log-density of rows, nats.
struct Reached {
  double mean = 0;
  std::optional<double> standard_error = {};  ///< none for one row
};

/// The weighted mean of log-densities; its standard error is that of a mean of ratios, which is the
/// sample deviation over the root of n where all weights are equal.
///
/// Errors:  std::range_error, which names the model, if a log-density is not finite.
Reached reached(const Tensor<double>& log_density, const std::vector<double>& weights,
                const std::string& model);

/// A line as "flow  -5.05 +- 0.17".
std::string line_of(const std::string& model, const Reached& reached);

/// The densities of several models on the same test rows.
class Comparison final {
 public:
  struct Entry {
    std::string key;   ///< as files name the model
    std::string name;  ///< as people do
    Tensor<double> log_density;
    Reached reached;
  };

  /// `rows` are the numbers of the test rows in their table, from 1.
  Comparison(std::vector<Index> rows, std::vector<double> weights)
      : rows_(std::move(rows)), weights_(std::move(weights)) {}

  /// Errors:  as reached().
  void add(const std::string& key, const std::string& name, const Tensor<double>& log_density);

  /// Leaves the first of the rows, for all models.
  void keep(std::size_t rows);

  std::size_t rows() const { return rows_.size(); }

  const std::vector<Entry>& entries() const { return entries_; }

  /// One line a model.
  std::string lines() const;

  /// The log-densities of the rows, in the order of their numbers, one model a column.
  ///
  /// Errors:  as save_table().
  void save(const std::string& out) const;

 private:
  std::vector<Index> rows_;
  std::vector<double> weights_;
  std::vector<Entry> entries_;
};

}  // namespace fjord::apps::density
