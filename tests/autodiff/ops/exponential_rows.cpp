#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
const std::vector<double> positive{0.5, 0.9, 1.3, 3.7};
const Tensors mismatch{Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})};

void add_exponentials(Rows& rows) {
  rows.unary(
          "exp", [](const auto& x) { return exp(x); }, [](double x) { return std::exp(x); }, some)
      .edge(-inf, 0, 0)
      .edge(inf, inf, inf)
      .edge(nan, nan, nan);
  rows.unary(
          "exp2", [](const auto& x) { return exp2(x); }, [](double x) { return std::pow(2, x); },
          some)
      .edge(0, 1, std::numbers::ln2)
      .edge(-inf, 0, 0)
      .edge(nan, nan, nan);
  rows.unary(
          "expm1", [](const auto& x) { return expm1(x); }, [](double x) { return std::exp(x) - 1; },
          some)
      .edge(0, 0, 1)
      .edge(-inf, -1, 0)
      .edge(1e-300, 1e-300, 1)
      .edge(inf, inf, inf)
      .edge(nan, nan, nan);
}

void add_logarithms(Rows& rows) {
  rows.unary(
          "log", [](const auto& x) { return log(x); }, [](double x) { return std::log(x); },
          positive)
      .edge(0, -inf, inf)
      .edge(inf, inf, 0);
  rows.unary(
          "log2", [](const auto& x) { return log2(x); },
          [](double x) { return std::log(x) / std::numbers::ln2; }, positive)
      .edge(0, -inf, inf)
      .edge(inf, inf, 0)
      .edge(8, 3, 0.18033688011112042);
  rows.unary(
          "log10", [](const auto& x) { return log10(x); },
          [](double x) { return std::log(x) / std::numbers::ln10; }, positive)
      .edge(0, -inf, inf)
      .edge(inf, inf, 0)
      .edge(1000, 3, 4.3429448190325183e-4);
  rows.unary(
          "log1p", [](const auto& x) { return log1p(x); }, [](double x) { return std::log(1 + x); },
          {-0.4, -0.2, 0.3, 2.7})
      .edge(0, 0, 1)
      .edge(-1, -inf, inf)
      .edge(inf, inf, 0)
      .edge(1e-300, 1e-300, 1);
  rows.unary(
          "log1mexp", [](const auto& x) { return log1mexp(x); },
          [](double x) { return std::log(1 - std::exp(-x)); }, {0.5, 0.6, 0.8, 2.7})
      .edge(0, -inf, inf)
      .edge(inf, 0, 0)
      .edge({Tensor<double>(-1.0)}, Tensor<double>(nan), {});
}

void add_functions_of_two(Rows& rows) {
  // Equal numbers share, of any size; a number beside -inf is alone.
  rows.binary(
          "logaddexp", [](const auto& a, const auto& b) { return logaddexp(a, b); },
          [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); }, some,
          {0.7, -1.1, 1.9})
      .edge({{0, 1e308, inf, -inf, 2, inf}, {0, 1e308, inf, -inf, -inf, 3}},
            {std::numbers::ln2, 1e308, inf, -inf, 2, inf},
            {{0.5, 0.5, 0.5, 0.5, 1, 1}, {0.5, 0.5, 0.5, 0.5, 0, 0}})
      .edge({Tensor<double>(nan), Tensor<double>(1.0)}, Tensor<double>(nan), {})
      .reject(mismatch);
  rows.binary(
          "xlogy", [](const auto& a, const auto& b) { return xlogy(a, b); },
          [](double a, double b) { return a * std::log(b); }, some, {0.8, 1.9})
      .edge({{0, 0, 2, 0}, {0, 3, inf, inf}}, {0, 0, inf, 0},
            {{-inf, std::log(3), inf, inf}, {0, 0, 0, 0}})
      .edge({Tensor<double>(0.0), Tensor<double>(nan)}, Tensor<double>(nan), {})
      .reject(mismatch);
  rows.binary(
          "xlog1py", [](const auto& a, const auto& b) { return xlog1py(a, b); },
          [](double a, double b) { return a * std::log(1 + b); }, some, {-0.3, 1.9})
      .edge({{0, 0, 2}, {-1, 2, 1e-300}}, {0, 0, 2e-300}, {{-inf, std::log(3), 1e-300}, {0, 0, 2}})
      .edge({Tensor<double>(0.0), Tensor<double>(nan)}, Tensor<double>(nan), {})
      .reject(mismatch);
}

}  // namespace

void add_exponential_rows(Rows& rows) {
  add_exponentials(rows);
  add_logarithms(rows);
  add_functions_of_two(rows);
}

}  // namespace fjord::test
