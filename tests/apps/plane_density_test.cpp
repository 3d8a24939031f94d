#include "fjord/apps/common/plane_density.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

constexpr PlaneCells cells{.left = -1, .bottom = -2, .size = 0.02, .columns = 100, .rows = 200};

TEST_CASE("plane_density: one point gives the Gaussian around it") {
  // The centre of the cell in column 50, row 60.
  const Tensor<double> point = {{0.01, -0.79}};
  const std::vector<double> density = density_on_cells(point, cells, 0.1);
  REQUIRE(density.size() == 20'000);
  for (const Index row : {50, 60, 67}) {
    for (const Index column : {45, 50, 60}) {
      const double x = 0.02 * static_cast<double>(column - 50) / 0.1;
      const double y = 0.02 * static_cast<double>(row - 60) / 0.1;
      const double expected = std::exp(-(x * x + y * y) / 2) / (2 * std::numbers::pi * 0.01);
      // Both sums stop after four deviations, which leaves out a share of 6e-5 of each.
      CHECK(density[static_cast<std::size_t>(row * 100 + column)] ==
            doctest::Approx(expected).epsilon(2e-4));
    }
  }
}

TEST_CASE("plane_density: points outside do not count, and those inside have their share") {
  const double nan = std::nan("");
  const Tensor<double> points = {{0.0, 0.0}, {0.5, 0.5}, {1.5, 0.0}, {0.0, nan}};
  const std::vector<double> density = density_on_cells(points, cells, 0.05);
  const double mass = std::accumulate(density.begin(), density.end(), 0.0) * 0.02 * 0.02;
  CHECK(mass == doctest::Approx(0.5).epsilon(1e-9));
}

}  // namespace
}  // namespace fjord::apps
