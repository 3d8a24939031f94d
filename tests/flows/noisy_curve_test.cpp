#include "fjord/flows/toys/noisy_curve.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

namespace fjord::flows {
namespace {

using std::numbers::e;
using std::numbers::pi;

Curve circle(double radius) {
  const auto at = [radius](double t) {
    return PlanePoint{radius * std::cos(t), radius * std::sin(t)};
  };
  return {at, 0, 2 * pi, radius, 24};
}

// The points (t, 0), t in [0, length].
Curve segment(double length) {
  return {[](double t) { return PlanePoint{t, 0}; }, 0, length, 1, 1};
}

// Of a circle with noise, at a distance r from its centre: a normal density times Bessel's I0.
double circle_log_density(double radius, double noise, double r) {
  const double z = r * radius / (noise * noise);
  // Abramowitz & Stegun 9.7.1, where I0 itself overflows.
  const double log_bessel =
      z < 500 ? std::log(std::cyl_bessel_i(0.0, z))
              : z - std::log(2 * pi * z) / 2 +
                    std::log1p(1 / (8 * z) + 9 / (128 * z * z) + 225 / (3072 * z * z * z));
  return log_bessel - (r * r + radius * radius) / (2 * noise * noise) -
         std::log(2 * pi * noise * noise);
}

TEST_CASE("noisy_curve: the density around a circle is Bessel's, however far out") {
  for (const double noise : {0.01, 0.06, 0.24, 1.0, 50.0}) {
    const NoisyCurves curves({circle(2)}, noise);
    for (const double r : {0.0, 0.1, 1.0, 1.9, 2.0, 2.5, 7.0, 1e3, 1e9, 1e100}) {
      CAPTURE(noise);
      CAPTURE(r);
      const double found = curves.log_density({r * std::cos(0.3), r * std::sin(0.3)});
      const double expected = circle_log_density(2, noise, r);
      CHECK(std::abs(found - expected) < 1e-9 * (1 + std::abs(expected)));
    }
  }
}

TEST_CASE("noisy_curve: the density around a segment is a normal one times a normal's mass") {
  for (const double noise : {1e-3, 0.1, 3.0}) {
    const NoisyCurves curves({segment(2)}, noise);
    for (const double x : {-8.0, -0.5, 0.0, 0.7, 2.0, 2.0001, 9.0}) {
      for (const double y : {0.0, 0.02, -5.0}) {
        CAPTURE(noise);
        CAPTURE(x);
        CAPTURE(y);
        const double a = -x / noise / std::sqrt(2.0);
        const double b = (2 - x) / noise / std::sqrt(2.0);
        const double mass = a > 0   ? std::erfc(a) - std::erfc(b)
                            : b < 0 ? std::erfc(-b) - std::erfc(-a)
                                    : std::erf(b) - std::erf(a);
        const double near = std::max({0.0, -x, x - 2}) / noise;
        // Beyond erfc's range: Mills' ratio, Abramowitz & Stegun 26.2.12.
        const double log_mass =
            near < 30 ? std::log(mass / 2)
                      : -near * near / 2 - std::log(near) - std::log(2 * pi) / 2 +
                            std::log1p(-1 / std::pow(near, 2) + 3 / std::pow(near, 4) -
                                       15 / std::pow(near, 6) + 105 / std::pow(near, 8));
        const double expected = log_mass - std::log(2.0) - y * y / (2 * noise * noise) -
                                std::log(2 * pi) / 2 - std::log(noise);
        CHECK(std::abs(curves.log_density({x, y}) - expected) < 1e-9 * (1 + std::abs(expected)));
      }
    }
  }
}

TEST_CASE("noisy_curve: a density below every number is minus infinity") {
  CHECK(NoisyCurves({circle(1)}, 0.1).log_density({1e200, 0}) < -1e300);
}

TEST_CASE("noisy_curve: the entropy around a circle is its integral over the radius") {
  const double noise = 0.3;
  double expected = 0;
  constexpr double step = 1e-3;  // both ends have nothing, so the sum of the middles is exact
  for (double r = step / 2; r < 2 + 9 * noise; r += step) {
    const double log_p = circle_log_density(2, noise, r);
    expected -= 2 * pi * r * step * std::exp(log_p) * log_p;
  }
  CHECK(std::abs(NoisyCurves({circle(2)}, noise).entropy() - expected) < 1e-6);
}

TEST_CASE("quadrature: Gauss and Legendre's rule is exact for polynomials of degree 2 n - 1") {
  for (const int count : {1, 2, 7, 28}) {
    for (int power = 0; power < 2 * count; ++power) {
      double sum = 0;
      for (const auto [x, weight] : gauss_legendre(count)) sum += weight * std::pow(x, power);
      CHECK(std::abs(sum - (power % 2 == 0 ? 2.0 / (power + 1) : 0)) < 1e-13);
    }
  }
}

TEST_CASE("quadrature: a normal's mass is that of erfc, and of Mills' ratio far out") {
  CHECK(log_normal_mass(-1, 2) == doctest::Approx(std::log(0.8185946141203637)).epsilon(1e-13));
  CHECK(
      log_normal_mass(3, 4) ==
      doctest::Approx(std::log((std::erfc(3 / std::sqrt(2.0)) - std::erfc(4 / std::sqrt(2.0))) / 2))
          .epsilon(1e-13));
  CHECK(log_normal_mass(-4, -3) == log_normal_mass(3, 4));
  CHECK(log_normal_mass(-1e-9, 1e-9) ==
        doctest::Approx(std::log(2e-9) - std::log(2 * pi) / 2).epsilon(1e-13));
  const double far = -5e5 - std::log(1e3) - std::log(2 * pi) / 2 - 1e-6;  // at 1000
  CHECK(log_normal_mass(1e3, 1e4) == doctest::Approx(far).epsilon(1e-14));
}

TEST_CASE("quadrature: the entropy of a normal distribution of the plane is log(2 pi e s^2)") {
  const auto log_density = [](std::span<const double> x) {
    return -(x[0] * x[0] + x[1] * x[1]) / 2 - std::log(2 * pi);
  };
  const double found = plane_entropy(log_density, {{-9, -9}, {9, 9}}, 0.5);
  CHECK(std::abs(found - std::log(2 * pi * e)) < 1e-9);
}

}  // namespace
}  // namespace fjord::flows
