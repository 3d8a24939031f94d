#include <cmath>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/symmetric_function.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

Tensor<double> with_values(std::vector<double> values, double (*f)(double)) {
  for (double& x : values) x = f(x);
  return symmetric_with(values);
}

// Rows at distinct, equal and nearly equal eigenvalues, and of a batch of both.
template <class F>
void add_rows(Rows& rows, const std::string& name, F f, double (*reference)(double)) {
  const auto is_lower = [](Index i, Index j) { return i >= j; };
  const std::vector<double> distinct{0.5, 1.5, 3, 4};
  rows.add(name, "lower triangle only", f, {masked(symmetric_with(distinct), is_lower, nan)},
           {with_values(distinct, reference)})
      .edge({Tensor<double>{{nan, 2}, {2, 1}}}, Tensor<double>::full({2, 2}, nan), {})
      .edge({empty({0, 0})}, empty({0, 0}), {})
      .edge({empty({0, 2, 2})}, empty({0, 2, 2}), {})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  const auto add = [&](const std::string& variant, const std::vector<double>& values) {
    rows.add(name, variant, f, {symmetric_with(values)}, {with_values(values, reference)})
        .with_least(1);  // entries near 0 are sums of terms that cancel
  };
  add("equal eigenvalues", {2, 2, 2});
  add("two equal eigenvalues", {1, 1, 2});
  add("nearly equal eigenvalues", {1, 1 + 1e-9, 2});
  add("close eigenvalues", {1, 1.01, 1.03});
  rows.add(name, "batch", f, {batch_of({symmetric_with({1, 3, 5}), symmetric_with({2, 2, 1})})},
           {batch_of({with_values({1, 3, 5}, reference), with_values({2, 2, 1}, reference)})});
  rows.add(name, "1x1", f, {Tensor<double>{{1.5}}}, {Tensor<double>{{reference(1.5)}}});
}

}  // namespace

void add_symmetric_function_rows(Rows& rows) {
  add_rows(
      rows, "symmetric_sqrt", [](const auto& v) { return symmetric_sqrt(v[0]); },
      [](double x) { return std::sqrt(x); });
  add_rows(
      rows, "symmetric_log", [](const auto& v) { return symmetric_log(v[0]); },
      [](double x) { return std::log(x); });
  add_rows(
      rows, "symmetric_exp", [](const auto& v) { return symmetric_exp(v[0]); },
      [](double x) { return std::exp(x); });
  add_rows(
      rows, "symmetric_function",
      [](const auto& v) {
        return symmetric_function(v[0], [](const auto& x) { return tanh(x) * x; });
      },
      [](double x) { return std::tanh(x) * x; });
}

}  // namespace fjord::test
