#include "fjord/apps/common/statistics.hpp"

#include <cmath>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

TEST_CASE("statistics: mean and standard error of small samples") {
  const Statistics two = negated_statistics(Tensor<double>{-1, -4});
  CHECK(two.mean == 2.5);
  CHECK(two.standard_error.value() == doctest::Approx(1.5).epsilon(1e-15));
  const Statistics four = negated_statistics(Tensor<float>{1, 2, 3, 6});
  CHECK(four.mean == -3);
  CHECK(four.standard_error.value() == doctest::Approx(std::sqrt(14.0 / 3 / 4)).epsilon(1e-15));
  CHECK(negated_statistics(Tensor<double>{5}).mean == -5);
  CHECK_FALSE(negated_statistics(Tensor<double>{5}).standard_error.has_value());
}

TEST_CASE("statistics: numbers in pieces have the mean and the error of all") {
  RunningStatistics running;
  running.add_negated(Tensor<double>{5});
  CHECK(running.result().mean == -5);
  CHECK_FALSE(running.result().standard_error.has_value());
  RunningStatistics large;
  large.add_negated(Tensor<double>{1e9 + 1, 1e9 + 2});
  large.add_negated(Tensor<double>{1e9 + 3});
  CHECK(large.count() == 3);
  CHECK(large.result().mean == -1e9 - 2);
  CHECK(large.result().standard_error.value() ==
        doctest::Approx(1 / std::sqrt(3.0)).epsilon(1e-12));
}

TEST_CASE("statistics: a large mean does not drown a small spread") {
  const Statistics result = negated_statistics(Tensor<double>{1e9 + 1, 1e9 + 2, 1e9 + 3});
  CHECK(result.standard_error.value() == doctest::Approx(1 / std::sqrt(3.0)).epsilon(1e-12));
}

TEST_CASE("statistics: rows outside of the support are counted apart") {
  const Statistics result = negated_statistics(Tensor<double>{-1, -HUGE_VAL, -4});
  CHECK(result.outside == 1);
  CHECK(result.mean == 2.5);
  CHECK(result.standard_error.value() == doctest::Approx(1.5).epsilon(1e-15));
  const Statistics none = negated_statistics(Tensor<float>{-HUGE_VALF, -HUGE_VALF});
  CHECK(none.outside == 2);
  CHECK(none.mean == HUGE_VAL);
  CHECK_FALSE(none.standard_error.has_value());
}

}  // namespace
}  // namespace fjord::apps
