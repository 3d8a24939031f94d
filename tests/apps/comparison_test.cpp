#include "fjord/apps/density/comparison.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

TEST_CASE("comparison: mean and standard error of small samples") {
  const Reached four = reached(Tensor<double>{1, 2, 3, 6}, {2, 2, 2, 2}, "flow");
  CHECK(four.mean == 3);
  CHECK(four.standard_error.value() == doctest::Approx(std::sqrt(14.0 / 3 / 4)).epsilon(1e-15));
  const Reached weighted = reached(Tensor<double>{1, 3}, {3, 1}, "flow");
  CHECK(weighted.mean == 1.5);
  // sqrt(2 (1.5^2 + 1.5^2)) / 4, by hand.
  CHECK(weighted.standard_error.value() == doctest::Approx(0.75).epsilon(1e-15));
  CHECK_FALSE(reached(Tensor<double>{5}, {1}, "flow").standard_error.has_value());
}

TEST_CASE("comparison: lines have two digits") {
  CHECK(line_of("mixture (7)", {-6.157, 0.1849}) == "mixture (7)  -6.16 +- 0.18");
  CHECK(line_of("flow", {12.0, std::nullopt}) == "flow  12.00 +- null");
}

TEST_CASE("comparison: of fewer rows, all models have those that are left") {
  Comparison comparison({7, 3, 5}, {1, 2, 3});
  comparison.add("a", "first", Tensor<double>{1, 4, 100});
  comparison.keep(2);
  comparison.add("b", "second", Tensor<double>{6, 9});
  CHECK(comparison.rows() == 2);
  CHECK(comparison.entries()[0].reached.mean == 3);
  CHECK(comparison.entries()[1].reached.mean == 8);
  CHECK(comparison.entries()[0].log_density.to_vector() == std::vector<double>{1, 4});
}

TEST_CASE("comparison: a row without a finite log-density is named") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(reached(Tensor<double>{1, -infinity}, {1, 1}, "kernel density"),
                       doctest::Contains("test row 2 has no finite log-density by kernel density"),
                       std::range_error);
}

}  // namespace
}  // namespace fjord::apps::density
