#include "fjord/flows/split.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <doctest/doctest.h>

namespace fjord::flows {
namespace {

TEST_CASE("split: every row is in one part") {
  const Split split = split_rows(1'000, 0.1, 0.25, RandomKey(1));
  CHECK(split.validation.size() == 100);
  CHECK(split.test.size() == 250);
  CHECK(split.training.size() == 650);
  std::vector<std::uint32_t> all = split.training;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::ranges::sort(all);
  std::vector<std::uint32_t> expected(1'000);
  std::iota(expected.begin(), expected.end(), 0U);
  CHECK(all == expected);
}

TEST_CASE("split: sizes are rounded, and a share has a row") {
  struct Case {
    Index rows;
    double validation, test;
    std::size_t validation_rows, test_rows;
  };

  for (const Case& c : {Case{10, 0.25, 0.14, 3, 1}, Case{10, 0.24, 0.15, 2, 2},
                        Case{10, 0.01, 0, 1, 0}, Case{3, 0.1, 0.1, 1, 1}, Case{1, 0, 0, 0, 0}}) {
    CAPTURE(c.rows);
    CAPTURE(c.validation);
    const Split split = split_rows(c.rows, c.validation, c.test, RandomKey(2));
    CHECK(split.validation.size() == c.validation_rows);
    CHECK(split.test.size() == c.test_rows);
    CHECK(split.training.size() ==
          static_cast<std::size_t>(c.rows) - c.validation_rows - c.test_rows);
  }
}

TEST_CASE("split: each row is as likely in a part, by the key alone") {
  constexpr int keys = 2'000;
  std::vector<int> counts(8);
  for (std::uint64_t key = 0; key < keys; ++key) {
    for (const std::uint32_t row : split_rows(8, 0.25, 0, RandomKey(key)).validation) ++counts[row];
  }
  double chi_square = 0;  // a row's count is binomial; the 8 counts have 7 degrees of freedom
  for (const int count : counts) {
    chi_square += std::pow(count - keys / 4.0, 2) / (keys * 0.25 * 0.75) * 7 / 8;
  }
  CHECK(chi_square < 7 + 5 * std::sqrt(2 * 7.0));
  CHECK(split_rows(50, 0.2, 0.2, RandomKey(3)).test == split_rows(50, 0.2, 0.2, RandomKey(3)).test);
  CHECK(split_rows(50, 0.2, 0.2, RandomKey(3)).test != split_rows(50, 0.2, 0.2, RandomKey(4)).test);
}

TEST_CASE("split: shares out of range and an empty training part are refused") {
  const RandomKey key(1);
  CHECK_THROWS_WITH_AS(split_rows(10, -0.1, 0, key),
                       "[split_rows] the share of validation must be in [0, 1), got -0.1",
                       std::invalid_argument);
  CHECK_THROWS_AS(split_rows(10, 0, 1, key), std::invalid_argument);
  CHECK_THROWS_AS(split_rows(10, 0, std::nan(""), key), std::invalid_argument);
  CHECK_THROWS_WITH_AS(split_rows(10, 0.5, 0.5, key),
                       "[split_rows] a row must be left for training, got 10 rows of which 10 are "
                       "for validation and test",
                       std::invalid_argument);
  CHECK_THROWS_AS(split_rows(0, 0, 0, key), std::invalid_argument);
  CHECK_THROWS_AS(split_rows(-1, 0, 0, key), std::invalid_argument);
  CHECK_THROWS_AS(split_rows(Index{1} << 32, 0, 0, key), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
