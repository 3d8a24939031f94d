#include "fjord/apps/density/gaussian.hpp"

#include <array>

#include <doctest/doctest.h>

#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

const std::vector<double> rows{0.3,  -1.2, 0.1, 1.1, 0.4, 0.9, -0.7, 0.9,  -0.2, 0.2, 0.1, 0.7,
                               -1.5, -0.3, -1., 0.8, 1.7, 1.1, -0.4, -0.6, 0.3,  2.1, 0.5, 1.6};

void check_two(const Gaussian& gaussian, double at_zero, double at_other) {
  const std::array points{0.0, 1.5, 0.0, -0.5, 0.0, 0.2};  // two, column by column
  std::array<double, 2> found{};
  gaussian.log_densities({points.data(), 2, 2, 3}, found);
  CHECK(found[0] == doctest::Approx(at_zero).epsilon(1e-12));
  CHECK(found[1] == doctest::Approx(at_other).epsilon(1e-12));
}

// The factor by numpy's arrays, 0.2186 and 0.4578; the densities by scipy's multivariate_normal.
TEST_CASE("gaussian: covariances of few rows shrink as the formula says") {
  check_two(shrunk_gaussian_of(rows, 3, std::vector<double>(8, 1.0), 1e-6), -2.1199001066434526,
            -4.481285205177755);
  check_two(shrunk_gaussian_of(rows, 3, std::vector<double>{1, 2, 1, 3, 1, 1, 2, 0.5}, 1e-6),
            -1.92689630190439, -4.272351250090774);
}

TEST_CASE("gaussian: the factor is Cholesky's, and there is none of an indefinite covariance") {
  const Gaussian gaussian({0, 0}, {4, 0, 2, 5});
  CHECK(gaussian.factor(0, 0) == 2);
  CHECK(gaussian.factor(1, 0) == 1);
  CHECK(gaussian.factor(1, 1) == 2);
  CHECK_THROWS_AS(Gaussian({0, 0}, {1, 0, 2, 1}), NumericalError);
}

}  // namespace
}  // namespace fjord::apps::density
