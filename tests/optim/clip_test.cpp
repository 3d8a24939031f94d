#include "fjord/optim/clip.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

namespace fjord::optim {
namespace {

TEST_CASE_TEMPLATE("clip: a long gradient is shortened to the norm, in its direction", T, float,
                   double) {
  std::vector<T> g{3, -4, 0, 12};
  CHECK(clip_by_norm(std::span(g), 6.5) == 13);
  CHECK(g == std::vector<T>{T(1.5), -2, 0, 6});
}

TEST_CASE_TEMPLATE("clip: a gradient that is short enough stays", T, float, double) {
  std::vector<T> g{3, -4};
  CHECK(clip_by_norm(std::span(g), 5) == 5);
  CHECK(g == std::vector<T>{3, -4});
  std::vector<T> zero{0, 0};
  CHECK(clip_by_norm(std::span(zero), 1) == 0);
  CHECK(zero == std::vector<T>{0, 0});
  CHECK(clip_by_norm(std::span<T>(), 1) == 0);
}

TEST_CASE_TEMPLATE("clip: squares neither overflow nor vanish", T, float, double) {
  const T huge = std::numeric_limits<T>::max() / 8;
  std::vector<T> g{3 * huge, -4 * huge};
  CHECK(clip_by_norm(std::span(g), 5) == doctest::Approx(5 * static_cast<double>(huge)));
  CHECK(static_cast<double>(g[0]) == doctest::Approx(3));
  CHECK(static_cast<double>(g[1]) == doctest::Approx(-4));
  const T tiny = std::numeric_limits<T>::min();
  std::vector<T> small{3 * tiny, 4 * tiny};
  CHECK(clip_by_norm(std::span(small), 1) == doctest::Approx(5 * static_cast<double>(tiny)));
}

TEST_CASE_TEMPLATE("clip: a gradient that is not finite stays, and its norm says so", T, float,
                   double) {
  const T infinity = std::numeric_limits<T>::infinity();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> infinite{1, -infinity};
  CHECK(clip_by_norm(std::span(infinite), 1) == HUGE_VAL);
  CHECK(infinite == std::vector<T>{1, -infinity});
  for (std::vector<T> g : {std::vector<T>{nan, 2}, {2, nan}, {nan}, {infinity, nan}}) {
    const std::vector<T> before = g;
    CHECK(std::isnan(clip_by_norm(std::span(g), 1)));
    for (std::size_t i = 0; i < g.size(); ++i) {
      CHECK((g[i] == before[i] || std::isnan(before[i])));
    }
  }
}

TEST_CASE_TEMPLATE("clip: each entry is moved into the interval", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> g{-3, -2, 0, T(1.5), 7, infinity, -infinity, std::numeric_limits<T>::quiet_NaN()};
  clip_by_value(std::span(g), 2);
  CHECK(std::isnan(g.back()));
  g.pop_back();
  CHECK(g == std::vector<T>{-2, -2, 0, T(1.5), 2, 2, -2});
}

TEST_CASE("clip: bounds out of range are refused") {
  std::vector<double> g{1};
  for (const double bound : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    CHECK_THROWS_WITH_AS(clip_by_norm(std::span(g), bound), doctest::Contains("max_norm"),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(clip_by_value(std::span(g), bound), doctest::Contains("max_value"),
                         std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::optim
