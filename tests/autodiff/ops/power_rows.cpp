#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const std::vector<double> positive{0.8, 0.95, 1.3, 3.7};
const Tensors mismatch{Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})};

void add_powers(Rows& rows) {
  // Zero to a negative, to nothing, to 1, 2, 3 and a half; then infinity to a negative.
  const Tensors bases_of_zero{{0, 0, 0, 0, 0, 0, inf}, {-1, 0, 1, 2, 3, 0.5, -1}};
  rows.binary(
          "pow", [](const auto& a, const auto& b) { return pow(a, b); },
          [](double a, double b) { return std::exp(b * std::log(a)); }, positive, {-1.6, 0.7, 2.4})
      .edge(bases_of_zero, {inf, 1, 0, 0, 0, 0, 0},
            {{-inf, 0, 1, 0, 0, inf, 0}, {-inf, 0, 0, 0, 0, 0, 0}})
      .edge({Tensor<double>(-2.0), Tensor<double>(0.5)}, Tensor<double>(nan), {})
      .reject(mismatch);
  rows.unary(
          "pow", [](const auto& x) { return pow(x, 3); }, [](double x) { return x * x * x; },
          {-1.7, -0.4, 0.3, 1.2})
      .edge(0, 0, 0)
      .edge(-0.0, 0, 0)
      .edge(-2, -8, 12)
      .edge(inf, inf, inf)
      .variant = "x^3";
  rows.unary(
          "pow", [](const auto& x) { return pow(x, 2); }, [](double x) { return x * x; },
          {-1.7, -0.4, 0.3, 1.2})
      .edge(0, 0, 0)
      .edge(-3, 9, -6)
      .variant = "x^2";
  rows.unary(
          "pow", [](const auto& x) { return pow(x, 1); }, [](double x) { return x; },
          {-1.7, -0.4, 0.3, 1.2})
      .edge(0, 0, 1)
      .variant = "x^1";
  rows.unary(
          "pow", [](const auto& x) { return pow(x, 0); }, [](double x) { return x - x + 1; },
          {-1.7, -0.4, 0.3, 1.2})
      .edge(0, 1, 0)
      .edge(inf, 1, 0)
      .variant = "x^0";
  rows.unary(
          "pow", [](const auto& x) { return pow(x, -2); }, [](double x) { return 1 / (x * x); },
          {-1.7, -0.9, 0.8, 1.2})
      .edge(-2, 0.25, 0.25)
      .variant = "x^-2";
  rows.unary(
          "pow", [](const auto& x) { return pow(2, x); }, [](double x) { return std::exp2(x); },
          {-1.7, -0.4, 0.3, 1.2})
      .edge(0, 1, std::numbers::ln2)
      .edge(-inf, 0, 0)
      .variant = "2^x";
  rows.unary(
          "pow", [](const auto& x) { return pow(0, x); }, [](double x) { return x - x; },
          {0.4, 1.2})
      .edge(0, 1, 0)
      .edge(2, 0, 0)
      .variant = "0^x";
}

void add_roots(Rows& rows) {
  rows.unary(
          "rsqrt", [](const auto& x) { return rsqrt(x); },
          [](double x) { return std::pow(x, -0.5); }, positive)
      .edge(0, inf, -inf)
      .edge(inf, 0, 0)
      .edge({Tensor<double>(-1.0)}, Tensor<double>(nan), {});
  rows.unary(
          "cbrt", [](const auto& x) { return cbrt(x); },
          [](double x) { return x < 0 ? -std::pow(-x, 1.0 / 3) : std::pow(x, 1.0 / 3); },
          {-2.1, -0.6, 0.5, 1.3, 3.7})
      .edge(0, 0, inf)
      .edge(-8, -2, 1.0 / 12)
      .edge(-inf, -inf, 0);
}

}  // namespace

void add_power_rows(Rows& rows) {
  add_powers(rows);
  add_roots(rows);
}

}  // namespace fjord::test
