/// The rows that a model finds the least likely, and why.
#pragma once

#include <vector>

#include "fjord/apps/density/look.hpp"

namespace fjord::apps::density {

/// A row of a look, and its column that is the most out of place.
struct UnusualRow {
  std::size_t place = 0;  ///< among the rows of the look
  Index column = 0;       ///< of the model's
  double likelier = 0;    ///< the value of that column that suits the rest of the row
  double gain = 0;        ///< of log-density by that value, nats; infinite outside of the support
};

/// The rows with the lowest log-densities, the lowest first, at most `count`.
///
/// The column is the one whose value, changed alone, raises the log-density most. As log p(x) =
/// log p(x_k | others) + log p(others), that gain is by how much x_k is less dense than the mode of
/// x_k given all other columns. The values tried are up to 41 quantiles of the model's samples in
/// that column. A gain of 0 says that no column alone is out of place.
std::vector<UnusualRow> unusual_rows(LookedAt& model, const Look& look, std::size_t count);

}  // namespace fjord::apps::density
