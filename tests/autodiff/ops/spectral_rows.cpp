#include "fjord/autodiff/ops/spectral.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

void add_eigh_rows(Rows& rows) {
  const auto f = [](const auto& v) {
    const auto [values, vectors] = eigh(v[0]);
    return std::vector{values, vectors};
  };
  const auto is_lower = [](Index i, Index j) { return i >= j; };
  const Tensor<double> a = masked(symmetric_with({-1, 0.5, 2, 4}), is_lower, nan);
  const Tensor<double> values{-1, 0.5, 2, 4};
  const Tensor<double> vectors = with_positive_peaks(reflection(4));
  rows.add("eigh", "lower triangle only", f, {a}, {values, vectors})
      .edge({Tensor<double>{{nan, 2}, {2, 1}}}, Tensor<double>{nan, nan}, {})
      .edge({empty({0, 0})}, empty({0}), {})
      .edge({empty({0, 2, 2})}, empty({0, 2}), {})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  rows.add("eigh", "batch", f, {batch_of({symmetric_with({1, 3, 5}), symmetric_with({-3, 0, 7})})},
           {Tensor<double>{{1, 3, 5}, {-3, 0, 7}},
            batch_of({with_positive_peaks(reflection(3)), with_positive_peaks(reflection(3))})})
      .with_least(1);
  // The sum of the values is the trace, also where they coincide.
  rows.add("eigh", "values", [](const auto& v) { return eigh(v[0]).values; }, {a}, {values})
      .edge({Tensor<double>::identity(3)}, Tensor<double>{1, 1, 1}, {Tensor<double>::identity(3)});
  rows.add("eigh", "vectors", [](const auto& v) { return eigh(v[0]).vectors; }, {a}, {vectors});
  rows.add("eigh", "1x1", f, {Tensor<double>{{-3}}}, {Tensor<double>{-3}, Tensor<double>{{1}}});
}

// A = U diag(s) V^T, with columns of two reflections.
void add_svd_row(Rows& rows, const std::string& variant, Index m, Index n) {
  const std::vector<double> values{5, 3, 1.5};
  const auto k = static_cast<Index>(values.size());
  const Tensor<double> left = reflection(m);
  const Tensor<double> right = reflection(n, 2);
  Tensor<double> u = empty({m, k});
  Tensor<double> scaled = empty({k, n});
  for (Index j = 0; j < k; ++j) {
    for (Index i = 0; i < m; ++i) u(i, j) = left(i, j);
  }
  const Tensor<double> peaked = with_positive_peaks(u);
  Tensor<double> vh = empty({k, n});
  for (Index j = 0; j < k; ++j) {
    const double sign = peaked(0, j) == u(0, j) ? 1 : -1;
    for (Index i = 0; i < n; ++i) {
      vh(j, i) = sign * right(i, j);
      scaled(j, i) = values[static_cast<std::size_t>(j)] * vh(j, i);
    }
  }
  rows.add("svd", variant,
           [](const auto& v) {
             const auto [left_vectors, s, right_vectors] = svd(v[0]);
             return std::vector{left_vectors, s, right_vectors};
           },
           {multiply_by_loops(peaked, scaled)}, {peaked, Tensor<double>{5, 3, 1.5}, vh})
      .edge({Tensor<double>{{nan, 1}, {2, 3}}}, Tensor<double>::full({2, 2}, nan), {})
      .edge({empty({2, 0})}, empty({2, 0}), {})
      .edge({empty({0, 2, 2})}, empty({0, 2, 2}), {})
      .reject({empty({2})});
}

}  // namespace

void add_spectral_rows(Rows& rows) {
  add_eigh_rows(rows);
  add_svd_row(rows, "square", 3, 3);
  add_svd_row(rows, "tall", 5, 3);
  add_svd_row(rows, "wide", 3, 4);
  rows.add("svd", "values, batch", [](const auto& v) { return svd(v[0]).s; },
           {Tensor<double>{{{3, 0}, {0, -2}}, {{0, 1}, {4, 0}}}}, {Tensor<double>{{3, 2}, {4, 1}}})
      .edge({Tensor<double>::identity(3)}, Tensor<double>{1, 1, 1}, {Tensor<double>::identity(3)});
}

}  // namespace fjord::test
