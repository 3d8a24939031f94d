#include "fjord/apps/density/energy.hpp"

#include <cmath>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

const Tensor<double> few{{0.1, 5}, {1.2, 3}, {-0.7, 4}, {2.2, 7}, {0.4, 1}, {1.9, 6}};
const Tensor<double> fewer{{1.0, 9}, {2.5, 8}, {3.1, 4}, {0.6, 10}, {1.7, 12}};
const Tensor<double> partners{{1.0, 9}, {2.5, 8}, {3.1, 4}, {0.6, 10}, {1.7, 12}, {2.9, 2}};

// Four standard errors of a share of the permutations.
bool is_share(double found, double exact, double permutations) {
  return std::abs(found - exact) < 4 * std::sqrt(exact * (1 - exact) / permutations);
}

TEST_CASE("energy: distance and p-value of two small samples") {
  Workers workers(2);
  const TwoSample result = energy_test(few, fewer, {.permutations = 20'000}, RandomKey(1), workers);
  // numpy and scipy.spatial.distance.cdist, with all 462 divisions of the 11 rows.
  CHECK(result.energy == doctest::Approx(1.5832710456234846).epsilon(1e-13));
  CHECK(is_share(result.p_value, 18.0 / 462, 20'000));
}

TEST_CASE("energy: pairs are exchanged within themselves") {
  Workers workers(1);
  const TwoSample result = energy_test(few, partners, {.permutations = 20'000, .is_paired = true},
                                       RandomKey(1), workers);
  // As above, with all 64 exchanges.
  CHECK(result.energy == doctest::Approx(1.3095507512490236).epsilon(1e-13));
  CHECK(is_share(result.p_value, 8.0 / 64, 20'000));
}

TEST_CASE("energy: one column, and one that is constant") {
  Workers workers(1);
  const Tensor<double> x{{0.3}, {1.1}, {2.0}, {5.5}};
  const Tensor<double> y{{0.2}, {0.9}, {4.0}, {6.1}, {7.3}};
  // The square of scipy.stats.energy_distance of both over their common deviation.
  CHECK(energy_test(x, y, {}, RandomKey(1), workers).energy ==
        doctest::Approx(0.3436641387383783).epsilon(1e-13));
  const Tensor<double> x2{{0.3, 7}, {1.1, 7}, {2.0, 7}, {5.5, 7}};
  const Tensor<double> y2{{0.2, 7}, {0.9, 7}, {4.0, 7}, {6.1, 7}, {7.3, 7}};
  CHECK(energy_test(x2, y2, {}, RandomKey(1), workers).energy ==
        doctest::Approx(0.3436641387383783).epsilon(1e-13));
}

TEST_CASE("energy: equal samples are not apart, and every division is as far") {
  Workers workers(1);
  const TwoSample result = energy_test(few, few, {.permutations = 99}, RandomKey(1), workers);
  CHECK(result.energy < 1e-13);
  CHECK(result.p_value == 1);
}

TEST_CASE("energy: p-values of equal distributions are uniform") {
  Workers workers(2);
  int low = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<double> numbers(120);
    RandomKey(seed).normal<double>(numbers);
    const std::span<const double> all(numbers);
    const TwoSample result = energy_test(Tensor<double>::from({20, 2}, all.first(40)),
                                         Tensor<double>::from({40, 2}, all.last(80)),
                                         {.permutations = 99}, RandomKey(seed).fold(1), workers);
    if (result.p_value <= 0.2) ++low;
  }
  // 40 expected, with a standard error of 5.7.
  CHECK(low > 20);
  CHECK(low < 60);
}

TEST_CASE("energy: the same bits for any number of threads") {
  Workers one(1);
  Workers three(3);
  const TwoSample a = energy_test(few, fewer, {}, RandomKey(7), one);
  const TwoSample b = energy_test(few, fewer, {}, RandomKey(7), three);
  CHECK(a.energy == b.energy);
  CHECK(a.p_value == b.p_value);
}

TEST_CASE("energy: numbers too large for a variance are refused") {
  Workers workers(1);
  const Tensor<double> x{{1, 1e200}, {2, -1e200}};
  CHECK_THROWS_WITH_AS(energy_test(x, x, {}, RandomKey(1), workers),
                       doctest::Contains("column 2 has numbers too large"), std::range_error);
}

}  // namespace
}  // namespace fjord::apps::density
