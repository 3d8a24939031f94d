/// The parts of a table: for training, for validation and for tests.
#pragma once

#include <cstdint>
#include <vector>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/shape.hpp"

namespace fjord::flows {

/// The numbers of the rows of each part, in random order; every row is in one part.
struct Split {
  std::vector<std::uint32_t> training;
  std::vector<std::uint32_t> validation;
  std::vector<std::uint32_t> test;
};

/// Splits the rows 0 .. rows - 1 at random by the shares of two parts; the rest is for training.
///
/// Units:   a part has its share of the rows, rounded to the nearest number, and halves up; but at
///          least one row if its share is above 0.
/// Errors:  std::invalid_argument if a share is outside [0, 1), there are 2^32 rows or more, or no
///          row is left for training.
Split split_rows(Index rows, double validation, double test, const RandomKey& random);

}  // namespace fjord::flows
