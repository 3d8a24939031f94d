/// Choices of rows by their own uniform numbers.
#pragma once

#include <vector>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/shape.hpp"

namespace fjord::flows {

/// For rows first_row, first_row + 1, ..., a place each, chosen with the probability there.
///
/// A place of probability 0 is never chosen. The probabilities add up to 1 but for rounding.
std::vector<std::size_t> choose(const std::vector<double>& probabilities, const RandomKey& random,
                                std::uint64_t first_row, Index rows);

}  // namespace fjord::flows
