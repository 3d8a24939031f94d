/// What several densities reach on the same rows.
#pragma once

#include <optional>
#include <string>
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

}  // namespace fjord::apps::density
