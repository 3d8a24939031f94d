#include <cmath>

#include "fjord/autodiff/ops/distance.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

void add_squared_distance_rows(Rows& rows) {
  const auto f = [](const auto& v) { return squared_distances(v[0], v[1]); };
  const Tensor<double> x{{1, 2}, {0, -1}, {3, 0.5}};
  const Tensor<double> y{{1, 2}, {-1, 1}};
  // The gradient of their sum in x is twice the sum of the differences.
  rows.add("squared_distances", "", f, {x, y}, {Tensor<double>{{0, 5}, {10, 5}, {6.25, 16.25}}})
      .edge({Tensor<double>{{1, 2}}, y}, Tensor<double>{{0, 5}},
            {Tensor<double>{{4, 2}}, Tensor<double>{{0, 0}, {-4, -2}}})
      .edge({Tensor<double>{{nan, 2}}, y}, Tensor<double>{{nan, nan}}, {})
      .edge({empty({0, 2}), y}, empty({0, 2}), {empty({0, 2}), empty({2, 2})})
      .edge({empty({3, 0}), empty({2, 0})}, empty({3, 2}), {empty({3, 0}), empty({2, 0})})
      .reject({empty({2}), empty({2})})
      .reject({empty({2, 2}), empty({2, 3})})
      .reject({empty({1, 2, 2}), empty({2, 2})});
  rows.add("squared_distances", "to themselves",
           [](const auto& v) { return squared_distances(v[0], v[0]); }, {x},
           {Tensor<double>{{0, 10, 6.25}, {10, 0, 11.25}, {6.25, 11.25, 0}}});
}

}  // namespace

void add_distance_rows(Rows& rows) {
  add_squared_distance_rows(rows);
  const std::vector<double> points{0.2, 0.7, 1, 2.5, 9};
  rows.unary(
          "matern12", [](const auto& x) { return matern12(x); },
          [](double x) { return std::exp(-std::sqrt(x)); }, points)
      .with_h(1e-3)
      .edge(0, 1, 0)
      .edge(inf, 0, 0)
      .edge(nan, nan, nan);
  rows.unary(
          "matern32", [](const auto& x) { return matern32(x); },
          [](double x) {
            const double s = std::sqrt(3 * x);
            return (1 + s) * std::exp(-s);
          },
          points)
      .with_h(1e-3)
      .edge(0, 1, -1.5)
      .edge(inf, 0, 0)
      .edge(nan, nan, nan);
  rows.unary(
          "matern52", [](const auto& x) { return matern52(x); },
          [](double x) {
            const double s = std::sqrt(5 * x);
            return (1 + s + s * s / 3) * std::exp(-s);
          },
          points)
      .with_h(1e-3)
      .edge(0, 1, -5.0 / 6)
      .edge(inf, 0, 0)
      .edge(nan, nan, nan);
}

}  // namespace fjord::test
