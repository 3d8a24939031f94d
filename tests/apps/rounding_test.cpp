#include "fjord/apps/density/rounding.hpp"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

// 100 numbers, ten of them different.
std::vector<double> multiples_of(double step) {
  std::vector<double> numbers;
  numbers.reserve(100);
  for (int i = 0; i < 100; ++i) numbers.push_back((i * 7 % 10 + 3) * step);
  return numbers;
}

TEST_CASE("rounding: the step is the power of ten that was rounded to") {
  for (const double step : {1e-9, 0.001, 0.01, 0.1, 1.0, 10.0, 1e6}) {
    CAPTURE(step);
    CHECK(rounding_of(multiples_of(step)) == doctest::Approx(step).epsilon(1e-15));
  }
  CHECK(rounding_of(multiples_of(0.25)) == doctest::Approx(0.01).epsilon(1e-15));
  CHECK(rounding_of(multiples_of(5)) == 1);
}

TEST_CASE("rounding: numbers that differ, or have all digits, are not rounded") {
  std::vector<double> different;
  different.reserve(100);
  for (int i = 0; i < 100; ++i) different.push_back(i);
  CHECK(rounding_of(different) == 0);
  CHECK(rounding_of(multiples_of(std::sqrt(2.0))) == 0);
  CHECK(rounding_of(multiples_of(1e300)) == 0);
  CHECK(step_of(different) == 0);
}

TEST_CASE("rounding: a step is the least difference, whatever it is") {
  CHECK(step_of(multiples_of(std::sqrt(2.0))) == doctest::Approx(std::sqrt(2.0)).epsilon(1e-14));
  CHECK(step_of(std::vector<double>{1, 1, 10, 10, 2.5, 2.5, 1}) == 1.5);
  CHECK(step_of(std::vector<double>{0.3, 0.1 + 0.2, 0.3, 0.8, 0.8, 0.3, 0.3}) ==
        doctest::Approx(0.5).epsilon(1e-14));
  CHECK(step_of(std::vector<double>{3, 3, 3}) == 0);
}

}  // namespace
}  // namespace fjord::apps::density
