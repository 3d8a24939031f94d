#include <cmath>

#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_rounding_rows(Rows& rows) {
  const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
  rows.unary(
          "abs", [](const auto& x) { return abs(x); }, [](double x) { return std::abs(x); }, some)
      .edge(0, 0, 0)
      .edge(-0.0, 0, 0)
      .edge(-inf, inf, -1)
      .edge({Tensor<double>(nan)}, Tensor<double>(nan), {});
  const std::vector<double> halves{-2.5, -1.5, -0.7, -0.5, 0, 0.5, 1.2, 1.5, 2.5, 1e300};
  rows.unary(
          "sign", [](const auto& x) { return sign(x); },
          [](double x) { return x > 0   ? 1.0
                                : x < 0 ? -1.0
                                        : 0.0; }, halves)
      .edge(-inf, -1, 0)
      .edge(-0.0, 0, 0)
      .edge(nan, nan, 0)
      .not_differentiable();
  const std::vector<double> large{-2.5, -1.5, -0.7, -0.5, 0,
                                  0.5,  1.2,  1.5,  2.5,  4503599627370495.5};
  rows.unary(
          "floor", [](const auto& x) { return floor(x); }, [](double x) { return std::floor(x); },
          large)
      .edge(inf, inf, 0)
      .edge(nan, nan, 0)
      .not_differentiable();
  rows.unary(
          "ceil", [](const auto& x) { return ceil(x); }, [](double x) { return std::ceil(x); },
          large)
      .edge(-inf, -inf, 0)
      .edge(nan, nan, 0)
      .not_differentiable();
  rows.unary(
          "round", [](const auto& x) { return round(x); },
          [](double x) { return x - std::remainder(x, 1.0); }, large)
      .edge(0.5, 0, 0)
      .edge(1.5, 2, 0)
      .edge(-2.5, -2, 0)
      .edge(inf, inf, 0)
      .edge(nan, nan, 0)
      .not_differentiable();
  rows.binary(
          "fmod", [](const auto& a, const auto& b) { return fmod(a, b); },
          [](double a, double b) { return a - std::trunc(a / b) * b; }, {-3.7, -0.4, 0.3, 5.2},
          {0.7, -1.1, 1.9})
      // 1 / 0.1 rounds to 10, yet ten times the double next to 0.1 is above 1: nine times it fits.
      .edge({{1, 2}, {0.1, inf}}, {0.09999999999999995, 2}, {{1, 1}, {-9, 0}})
      .edge({Tensor<double>(1.0), Tensor<double>(0.0)}, Tensor<double>(nan), {})
      .reject({Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})});
  rows.unary(
          "fmod", [](const auto& x) { return fmod(x, 0.75f); },
          [](double x) { return x - std::trunc(x / 0.75) * 0.75; }, some)
      .variant = "by a number";
}

}  // namespace fjord::test
