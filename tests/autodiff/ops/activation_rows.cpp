#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const std::vector<double> some{-2.3, -0.7, -0.2, 0.4, 1.1, 3.2};

void add_sigmoids(Rows& rows) {
  rows.unary(
          "tanh", [](const auto& x) { return tanh(x); }, [](double x) { return std::tanh(x); },
          some)
      .edge(inf, 1, 0)
      .edge(-inf, -1, 0)
      .edge(0, 0, 1)
      .edge(20, 1, 1.6993417021166355e-17);
  rows.unary(
          "sigmoid", [](const auto& x) { return sigmoid(x); },
          [](double x) { return 1 / (1 + std::exp(-x)); }, some)
      .edge(-inf, 0, 0)
      .edge(40, 1, 4.248354255291589e-18);
  rows.unary(
          "softplus", [](const auto& x) { return softplus(x); },
          [](double x) { return std::log1p(std::exp(x)); }, some)
      .edge(-inf, 0, 0)
      .edge(inf, inf, 1);
  rows.unary(
          "log_sigmoid", [](const auto& x) { return log_sigmoid(x); },
          [](double x) { return -std::log(1 + std::exp(-x)); }, some)
      .edge(0, -std::numbers::ln2, 0.5)
      .edge(40, -4.248354255291589e-18, 4.248354255291589e-18)
      .edge(-40, -40, 1)
      .edge(-inf, -inf, 1)
      .edge(inf, 0, 0);
  rows.unary(
          "softsign", [](const auto& x) { return softsign(x); },
          [](double x) { return x / (1 + std::abs(x)); }, some)
      .edge(0, 0, 1)
      .edge(-inf, -1, 0)
      .edge(nan, nan, nan);
}

void add_rectifiers(Rows& rows) {
  rows.unary(
          "elu", [](const auto& x) { return elu(x); },
          [](double x) { return x > 0 ? x : std::expm1(x); }, some)
      .edge(0, 0, 1)
      .edge(-inf, -1, 0);
  rows.unary(
          "relu", [](const auto& x) { return relu(x); }, [](double x) { return x > 0 ? x : 0; },
          some)
      .edge(0, 0, 0)
      .edge(-0.0, 0, 0)
      .edge(-inf, 0, 0)
      .edge(inf, inf, 1)
      .edge({Tensor<double>(nan)}, Tensor<double>(nan), {});
  rows.unary(
          "leaky_relu", [](const auto& x) { return leaky_relu(x, 0.125f); },
          [](double x) { return x > 0 ? x : x / 8; }, some)
      .edge(0, 0, 0.125)
      .edge(-inf, -inf, 0.125)
      .edge({Tensor<double>(nan)}, Tensor<double>(nan), {});
  rows.unary(
          "celu", [](const auto& x) { return celu(x, 0.5f); },
          [](double x) { return x > 0 ? x : 0.5 * (std::exp(2 * x) - 1); }, some)
      .edge(0, 0, 1)
      .edge(-inf, -0.5, 0)
      .edge(inf, inf, 1);
  rows.unary(
          "selu", [](const auto& x) { return selu(x); },
          [](double x) {
            return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1));
          },
          some)
      .edge(0, 0, 1.7580993408473766)
      .edge(-inf, -1.7580993408473766, 0)
      .edge(inf, inf, 1.0507009873554805);
}

void add_products(Rows& rows) {
  const auto cdf = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  rows.unary(
          "mish", [](const auto& x) { return mish(x); },
          [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }, some)
      .edge(0, 0, 0.6)
      .edge(-inf, 0, 0)
      .edge(inf, inf, 1)
      .edge({Tensor<double>(nan)}, Tensor<double>(nan), {});
  rows.unary(
          "silu", [](const auto& x) { return silu(x); },
          [](double x) { return x / (1 + std::exp(-x)); }, some)
      .edge(0, 0, 0.5);
  rows.unary(
          "gelu", [](const auto& x) { return gelu(x); }, [cdf](double x) { return x * cdf(x); },
          some)
      .edge(0, 0, 0.5);
  rows.unary(
          "normal_cdf", [](const auto& x) { return normal_cdf(x); }, cdf, some)
      .edge(0, 0.5, 0.3989422804014327);
}

}  // namespace

void add_activation_rows(Rows& rows) {
  add_sigmoids(rows);
  add_rectifiers(rows);
  add_products(rows);
}

}  // namespace fjord::test
