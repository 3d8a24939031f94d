#include "fjord/autodiff/ops/distance.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/tests/support/battery.hpp"
#include "fjord/tests/support/derivative_routes.hpp"

using namespace fjord;
using namespace fjord::test;

TEST_CASE("distance: Matern covariances of a point with itself have their Hessians") {
  const Tensor<double> point{{0.3, -0.2}};

  struct Case {
    std::function<Number(const Number&)> kernel;
    double curvature;
  };

  const std::vector<Case> cases{{[](const Number& r) { return matern52(r); }, -5.0 / 3},
                                {[](const Number& r) { return matern32(r); }, -3}};
  for (const Case& c : cases) {
    for (const double x : {0.4, -1.0}) {
      const Tensor<double> along{{x, 0.7}};
      const Curve f = [&](const Number& y) {
        return sum(c.kernel(squared_distances(y, y.tape().input(point))));
      };
      const Routes found = routes(f, point, along);
      for (const Tensor<double>& g : found.gradients) CHECK((g(0, 0) == 0 && g(0, 1) == 0));
      for (const Tensor<double>& h : found.products) {
        CHECK(h(0, 0) == doctest::Approx(c.curvature * x).epsilon(1e-15));
        CHECK(h(0, 1) == doctest::Approx(c.curvature * 0.7).epsilon(1e-15));
      }
    }
  }
  const Curve peak = [&](const Number& y) {
    return sum(matern12(squared_distances(y, y.tape().input(point))));
  };
  const Routes found = routes(peak, point, Tensor<double>{{1, 2}});
  for (const Tensor<double>& g : found.gradients) CHECK((g(0, 0) == 0 && g(0, 1) == 0));
  for (const Tensor<double>& h : found.products) CHECK(is_nowhere_finite(h));
  // All columns of the Hessian at once.
  Tape<double> tape;
  const Curve slope = [&](const Number& y) { return gradient(peak, y); };
  CHECK(is_nowhere_finite(Tensor<double>(jacobian(slope, tape.input(point)).value())));
}

TEST_CASE("distance: along a line through a point Matern covariances have all their derivatives") {
  // With r = |t|: 1 - 5/6 t^2 + 25/24 t^4 and 1 - 3/2 t^2, and odd terms of orders 5 and 3.
  const auto at = [](const Number& t) {
    return squared_distances(reshape(t, {1, 1}), t.tape().input(Tensor<double>{{0}}));
  };
  CHECK(worst_derivative([&](const Number& t) { return sum(matern52(at(t))); },
                         {1, 0, -5.0 / 3, 0}) < 1e-15);
  CHECK(worst_derivative([&](const Number& t) { return sum(matern32(at(t))); }, {1, 0, -3}) <
        1e-15);
  // |t|^3 has no third derivative at 0.
  const auto all = derivatives_at_zero([&](const Number& t) { return sum(matern32(at(t))); });
  for (const double third : all[3]) CHECK_FALSE(std::isfinite(third));
}

TEST_CASE("distance: squared distances between near points are accurate") {
  Tape<double> tape;
  const double step = std::ldexp(1.0, -40);
  const Number x = tape.input(Tensor<double>{{1000, -500}, {3, 4}});
  const Number y = tape.input(Tensor<double>{{1000 + 3 * step, -500 - 4 * step}});
  const Number d = squared_distances(x, y);
  CHECK(d.value()(0, 0) == 25 * step * step);
  const Tensor<double> g(
      gradient([&](const Number& z) { return sum(slice(squared_distances(z, y), 0, 0, 1)); }, x)
          .value());
  CHECK(g(0, 0) == -6 * step);
  CHECK(g(0, 1) == 8 * step);
}
