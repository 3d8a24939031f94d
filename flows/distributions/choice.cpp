#include "fjord/flows/distributions/choice.hpp"

#include <algorithm>
#include <numeric>

namespace fjord::flows {

std::vector<std::size_t> choose(const std::vector<double>& probabilities, const RandomKey& random,
                                std::uint64_t first_row, Index rows) {
  std::vector<double> ends(probabilities.size());
  std::partial_sum(probabilities.begin(), probabilities.end(), ends.begin());
  const double sum = ends.back();
  std::vector<double> uniform(static_cast<std::size_t>(rows));
  random.uniform(std::span<double>(uniform), first_row);
  std::vector<std::size_t> choices;
  for (const double u : uniform) {
    // u < 1, so that the product is less than the last end, but for rounding.
    const auto end =
        std::upper_bound(ends.begin(), ends.end(), std::min(u * sum, sum * (1 - 0x1p-53)));
    choices.push_back(static_cast<std::size_t>(end - ends.begin()));
  }
  return choices;
}

}  // namespace fjord::flows
