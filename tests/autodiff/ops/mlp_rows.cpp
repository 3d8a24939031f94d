#include <cmath>

#include "fjord/autodiff/ops/mlp.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

Tensor<double> product_of(const Tensor<double>& a, const Tensor<double>& b) {
  Tensor<double> c = Tensor<double>::zeros({a.shape()[0], b.shape()[1]});
  for (Index i = 0; i < c.shape()[0]; ++i) {
    for (Index j = 0; j < c.shape()[1]; ++j) {
      for (Index p = 0; p < a.shape()[1]; ++p) c(i, j) += a(i, p) * b(p, j);
    }
  }
  return c;
}

// Row by row, the Jacobian as the product of those of the layers.
Tensor<double> tanh_mlp_of(const Tensors& inputs, bool has_divergence) {
  const Tensor<double>& x = inputs[1];
  const Index dim = x.shape()[1];
  const Index outputs = inputs.back().shape()[0];
  Tensor<double> y =
      Tensor<double>::zeros({x.shape()[0], outputs + static_cast<Index>(has_divergence)});
  for (Index row = 0; row < x.shape()[0]; ++row) {
    const Index first_in = inputs[2].shape()[1];
    Tensor<double> h = Tensor<double>::full({first_in, 1}, inputs[0].to_vector()[0]);
    Tensor<double> jacobian = Tensor<double>::zeros({first_in, dim});
    for (Index d = 0; d < dim; ++d) {
      h(first_in - dim + d, 0) = x(row, d);
      jacobian(first_in - dim + d, d) = 1;
    }
    for (std::size_t l = 2; l < inputs.size(); l += 2) {
      h = product_of(inputs[l], h);
      jacobian = product_of(inputs[l], jacobian);
      for (Index i = 0; i < h.shape()[0]; ++i) {
        h(i, 0) += inputs[l + 1](i);
        if (l + 2 == inputs.size()) continue;
        for (Index d = 0; d < dim; ++d) jacobian(i, d) /= std::pow(std::cosh(h(i, 0)), 2);
        h(i, 0) = std::tanh(h(i, 0));
      }
    }
    for (Index i = 0; i < outputs; ++i) y(row, i) = h(i, 0);
    for (Index d = 0; has_divergence && d < dim; ++d) y(row, outputs) += jacobian(d, d);
  }
  return y;
}

Tensors inputs_of(Index rows, Index dim, Index times, const std::vector<Index>& widths) {
  Tensors inputs{Tensor<double>(0.4), sample({rows, dim}, 1)};
  Index in = dim + times;
  for (const Index out : widths) {
    inputs.push_back(sample({out, in}, inputs.size(), 1 / std::sqrt(static_cast<double>(in))));
    inputs.push_back(sample({out}, inputs.size(), 0.3));
    in = out;
  }
  return inputs;
}

}  // namespace

void add_mlp_rows(Rows& rows) {
  const auto f = [](const auto& v) { return tanh_mlp(v[0], v[1], std::span(v).subspan(2)); };
  const auto g = [](const auto& v) {
    return tanh_mlp_with_divergence(v[0], v[1], std::span(v).subspan(2));
  };

  // All weights move at once, which leaves the usual stencil with a larger remainder.
  constexpr double h = 2e-3;

  // Rows that fill registers, and rows that do not; the sizes with kernels of their own, and
  // others.
  struct Case {
    const char* variant;
    Tensors inputs;
  };

  const Case cases[] = {{"width 8, 2 times", inputs_of(5, 2, 2, {8, 8, 2})},
                        {"widths 5 and 3, 1 time", inputs_of(9, 3, 1, {5, 3, 3})},
                        {"one hidden layer, no time", inputs_of(4, 1, 0, {6, 1})}};
  for (const auto& [variant, in] : cases) {
    rows.add("tanh_mlp", variant, f, in, {tanh_mlp_of(in, false)}).with_h(h);
    rows.add("tanh_mlp_with_divergence", variant, g, in, {tanh_mlp_of(in, true)}).with_h(h);
  }
  // So many rows that several registers of them are taken at once.
  const Tensors other_outputs = inputs_of(14, 2, 1, {4, 5});
  Tensors bad_bias = inputs_of(3, 2, 1, {4, 2});
  bad_bias[3] = sample({3}, 1);
  Tensors bad_time = inputs_of(3, 2, 1, {4, 2});
  bad_time[0] = sample({3}, 1);
  rows.add("tanh_mlp", "other outputs than inputs", f, other_outputs,
           {tanh_mlp_of(other_outputs, false)})
      .with_h(h)
      .reject(inputs_of(3, 2, 1, {17, 2}))
      .reject(inputs_of(3, 2, 1, {2}))
      .reject(bad_bias)
      .reject(bad_time);
  const Tensors deep = inputs_of(3, 2, 1, {4, 8, 5, 2});
  rows.add("tanh_mlp_with_divergence", "three hidden layers", g, deep, {tanh_mlp_of(deep, true)})
      .with_h(h)
      .reject(other_outputs);
}

}  // namespace fjord::test
