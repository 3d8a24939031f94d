#include "fjord/apps/density/calibration.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include <doctest/doctest.h>

#include "fjord/autodiff/random.hpp"

namespace fjord::apps::density {
namespace {

std::vector<double> normals(std::size_t count, double deviation, std::uint64_t seed) {
  std::vector<double> numbers(count);
  RandomKey(seed).normal<double>(numbers);
  for (double& x : numbers) x *= deviation;
  return numbers;
}

std::vector<double> log_densities(std::vector<double> numbers, double deviation) {
  for (double& x : numbers) x = -x * x / (2 * deviation * deviation) - std::log(deviation);
  return numbers;
}

TEST_CASE("calibration: levels count the denser samples") {
  const std::vector<double> samples{1, 2, 3, 4};
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(levels_among(std::vector<double>{5, 2.5, 2, 0, -infinity}, samples) ==
        std::vector<double>{0, 0.4, 0.4, 0.8, 1});
  CHECK(levels_among_own(std::vector<double>{2.5, 2.5}, samples, 2) ==
        std::vector<double>{0, 2.0 / 3});
}

TEST_CASE("calibration: the levels of a normal distribution are those of the closed form") {
  const std::vector<double> rows{0, 0.5, -1, 2, -3};
  const std::vector<double> levels =
      levels_among(log_densities(rows, 1), log_densities(normals(99'999, 1, 1), 1));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double exact = std::erf(std::abs(rows[i]) / std::sqrt(2.0));
    // Four standard errors of a share of the samples.
    CHECK(std::abs(levels[i] - exact) <= 4 * std::sqrt(exact * (1 - exact) / 99'999) + 1e-5);
  }
}

TEST_CASE("calibration: coverage of a model that is right and of one that is too narrow") {
  const LevelCounts counts{20'000, 9'999};
  const std::vector<double> rows = normals(20'000, 1, 2);
  const auto levels_of = [&](double deviation) {
    return levels_among(log_densities(rows, deviation),
                        log_densities(normals(9'999, deviation, 3), deviation));
  };
  const std::vector<double> right = levels_of(1);
  for (const Coverage& coverage : coverages(right, counts))
    CHECK(std::abs(coverage.share - coverage.nominal) < 4 * coverage.standard_error);
  CHECK(uniformity(right, 9'999, counts).p_value > 0.001);
  const std::vector<double> narrow = levels_of(0.5);
  // P(|Z| < 0.67449 / 2): half of the model's mass lies within 0.67449 of its deviations.
  CHECK(coverages(narrow, counts)[0].share == doctest::Approx(0.26407).epsilon(0.05));
  CHECK(uniformity(narrow, 9'999, counts).p_value < 1e-6);
}

TEST_CASE("calibration: standard errors are those of shares and quantiles") {
  const std::vector<double> levels{0, 0.25, 0.5, 0.75};
  const std::vector<Coverage> own = coverages(levels, {4, 0});
  CHECK(own[0].share == 0.5);
  CHECK(own[0].standard_error == doctest::Approx(0.25));
  CHECK(own[1].share == 1);
  CHECK(own[1].standard_error == doctest::Approx(0.2));
  CHECK(coverages(levels, {4, 4})[1].standard_error == doctest::Approx(std::sqrt(0.08)));
}

TEST_CASE("calibration: the distance from uniform levels, with the p-value of scipy") {
  std::vector<double> levels;
  levels.reserve(50);
  for (int i = 0; i < 50; ++i) levels.push_back((i + 0.5) / 50 * 0.85);
  const Uniformity result = uniformity(levels, 1'000'000'000, {50, 0});
  CHECK(result.distance == doctest::Approx(0.1585).epsilon(1e-6));
  // scipy.stats.kstest, exact; the correction for few rows is good to 0.001.
  CHECK(std::abs(result.p_value - 0.14535842505305518) < 2e-3);
}

TEST_CASE("calibration: the limit of Kolmogorov's test as scipy has it") {
  // scipy.stats.kstwobign.sf, version 1.17.
  for (const auto& [x, tail] :
       {std::pair(0.2, 0.999999999999495), std::pair(0.5, 0.9639452436648751),
        std::pair(0.9, 0.3927307079406543), std::pair(1.0, 0.26999967167735456),
        std::pair(1.358, 0.05002679733444698), std::pair(2.5, 7.453306344157342e-06)})
    CHECK(kolmogorov_tail(x) == doctest::Approx(tail).epsilon(1e-12));
  CHECK(kolmogorov_tail(0) == 1);
}

}  // namespace
}  // namespace fjord::apps::density
