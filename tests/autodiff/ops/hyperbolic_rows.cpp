#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/hyperbolic.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_hyperbolic_rows(Rows& rows) {
  const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
  rows.unary(
          "sinh", [](const auto& x) { return sinh(x); },
          [](double x) { return (std::exp(x) - std::exp(-x)) / 2; }, some)
      .edge(0, 0, 1)
      .edge(-inf, -inf, inf);
  rows.unary(
          "cosh", [](const auto& x) { return cosh(x); },
          [](double x) { return (std::exp(x) + std::exp(-x)) / 2; }, some)
      .edge(0, 1, 0)
      .edge(-inf, inf, -inf);
  rows.unary(
          "asinh", [](const auto& x) { return asinh(x); },
          [](double x) { return std::log(x + std::sqrt(x * x + 1)); }, some)
      .edge(0, 0, 1)
      .edge(1e200, 461.21016577936911, 1e-200)
      .edge(inf, inf, 0)
      .edge(nan, nan, nan);
  rows.unary(
          "acosh", [](const auto& x) { return acosh(x); },
          [](double x) { return std::log(x + std::sqrt(x * x - 1)); }, {1.6, 1.9, 2.6})
      .edge(1, 0, inf)
      .edge(1e200, 461.21016577936911, 1e-200)
      .edge(inf, inf, 0);
  rows.unary(
          "atanh", [](const auto& x) { return atanh(x); },
          [](double x) { return std::log((1 + x) / (1 - x)) / 2; }, {-0.5, 0.1, 0.4})
      .edge(0, 0, 1)
      .edge(1, inf, inf)
      .edge(-1, -inf, inf);
}

}  // namespace fjord::test
