#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
const double pi = std::numbers::pi;
const Tensors mismatch{Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})};

void add_functions_of_one(Rows& rows) {
  rows.unary(
          "sin", [](const auto& x) { return sin(x); }, [](double x) { return std::sin(x); }, some)
      .edge(0, 0, 1);
  rows.unary(
          "cos", [](const auto& x) { return cos(x); }, [](double x) { return std::cos(x); }, some)
      .edge(0, 1, 0);
  rows.unary(
          "tan", [](const auto& x) { return tan(x); },
          [](double x) { return std::sin(x) / std::cos(x); }, {-0.9, -0.4, 0.3, 0.8})
      .edge(0, 0, 1)
      .edge({Tensor<double>(inf)}, Tensor<double>(nan), {});
  rows.unary(
          "asin", [](const auto& x) { return asin(x); },
          [](double x) { return std::atan(x / std::sqrt(1 - x * x)); }, {-0.6, 0.1, 0.5})
      .edge(0, 0, 1)
      .edge(1, pi / 2, inf)
      .edge(-1, -pi / 2, inf)
      .edge({Tensor<double>(1.5)}, Tensor<double>(nan), {});
  rows.unary(
          "acos", [](const auto& x) { return acos(x); },
          [](double x) { return std::numbers::pi / 2 - std::atan(x / std::sqrt(1 - x * x)); },
          {-0.6, 0.1, 0.5})
      .edge(1, 0, -inf)
      .edge(-1, pi, -inf)
      .edge({Tensor<double>(1.5)}, Tensor<double>(nan), {});
  rows.unary(
          "atan", [](const auto& x) { return atan(x); },
          [](double x) { return std::asin(x / std::sqrt(1 + x * x)); }, some)
      .edge(0, 0, 1)
      .edge(inf, pi / 2, 0)
      .edge(-inf, -pi / 2, 0)
      .edge(1e200, pi / 2, 0);
  rows.unary(
          "sinc", [](const auto& x) { return sinc(x); },
          [](double x) { return std::sin(std::numbers::pi * x) / (std::numbers::pi * x); },
          {-1.3, -0.2, 0.05, 0.31, 0.7, 2.6})
      .edge(0, 1, 0)
      .edge(1, 0, -1)
      .edge(-2, 0, -0.5)
      .edge(inf, 0, 0)
      .edge(nan, nan, nan);
}

void add_functions_of_two(Rows& rows) {
  // All quadrants, both sides of the cut, the origin, and infinity.
  const Tensors directions{{1, 1, -1, -1, 0.0, -0.0, 0, 2, inf},
                           {1, -1, -1, 1, -1, -1, 0, inf, inf}};
  rows.binary(
          "atan2", [](const auto& a, const auto& b) { return atan2(a, b); },
          [](double a, double b) { return 2 * std::atan(a / (std::sqrt(a * a + b * b) + b)); },
          some, {-1.1, 0.7, 1.9})
      .edge(directions, {pi / 4, 3 * pi / 4, -3 * pi / 4, -pi / 4, pi, -pi, 0, 0, pi / 4},
            {{0.5, -0.5, -0.5, 0.5, -1, -1, 0, 0, 0}, {-0.5, -0.5, 0.5, 0.5, 0, 0, 0, 0, 0}})
      .edge({{1, 2, 3, 4}, {2, 3, 4, 5}},
            {0.46364760900080612, 0.5880026035475675, 0.6435011087932844, 0.67474094222355268},
            {{0.4, 3.0 / 13, 0.16, 5.0 / 41}, {-0.2, -2.0 / 13, -0.12, -4.0 / 41}})
      .reject(mismatch);
  rows.binary(
          "hypot", [](const auto& a, const auto& b) { return hypot(a, b); },
          [](double a, double b) { return std::sqrt(a * a + b * b); }, some, {-1.1, 0.7, 1.9})
      .edge({{0, 3e200, 3e-200, -inf, 0}, {0, -4e200, 4e-200, 1, -2}}, {0, 5e200, 5e-200, inf, 2},
            {{0, 0.6, 0.6, -1, 0}, {0, -0.8, 0.8, 0, -1}})
      .reject(mismatch);
}

}  // namespace

void add_trigonometric_rows(Rows& rows) {
  add_functions_of_one(rows);
  add_functions_of_two(rows);
}

}  // namespace fjord::test
