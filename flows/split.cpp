#include "fjord/flows/split.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

Index size_of(double share, Index rows, std::string_view part) {
  require(share >= 0 && share < 1, "split_rows", [&] {
    return "the share of " + std::string(part) + " must be in [0, 1), got " +
           ode::short_number(share);
  });
  if (share == 0) return 0;
  return std::max<Index>(1, std::llround(share * static_cast<double>(rows)));
}

}  // namespace

Split split_rows(Index rows, double validation, double test, const RandomKey& random) {
  constexpr Index most = std::numeric_limits<std::uint32_t>::max();
  require(rows >= 0 && rows <= most, "split_rows", [&] {
    return "rows must be between 0 and " + std::to_string(most) + ", got " + std::to_string(rows);
  });
  const Index first = size_of(validation, rows, "validation");
  const Index second = first + size_of(test, rows, "test");
  require(second < rows, "split_rows", [&] {
    return "a row must be left for training, got " + std::to_string(rows) + " rows of which " +
           std::to_string(second) + " are for validation and test";
  });
  const std::vector<std::uint32_t> order = random.permutation(static_cast<std::uint32_t>(rows));
  const auto begin = order.begin();
  return {{begin + second, order.end()}, {begin, begin + first}, {begin + first, begin + second}};
}

}  // namespace fjord::flows
