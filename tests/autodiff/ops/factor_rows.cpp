#include <cmath>

#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

// L of positive diagonal and the product L L^T, of which only the lower triangle is given.
void add_cholesky_row(Rows& rows, const std::string& variant, const Shape& shape,
                      double upper_entries) {
  const auto is_lower = [](Index i, Index j) { return i >= j; };
  const Tensor<double> l = masked(dominant(shape, 11), is_lower);
  const Tensor<double> a =
      masked(multiply_by_loops(l, transpose_by_loops(l)), is_lower, upper_entries);
  rows.add("cholesky", variant, [](const auto& v) { return cholesky(v[0]); }, {a}, {l});
}

void add_cholesky_rows(Rows& rows) {
  const auto f = [](const auto& v) { return cholesky(v[0]); };
  // The gradient of the sum of L: by hand from l11 = 2, l21 = a21 / 2, l22 = sqrt(a22 - a21^2 / 4).
  const Tensor<double> a{{4, 7}, {2, 10}};
  rows.add("cholesky", "2x2, lower triangle only", f, {a}, {Tensor<double>{{2, 0}, {1, 3}}})
      .edge({a}, Tensor<double>{{2, 0}, {1, 3}},
            {Tensor<double>{{0.125 + 1.0 / 24, 0}, {0.5 - 1.0 / 6, 1.0 / 6}}})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  add_cholesky_row(rows, "4x4, NaN above", {4, 4}, nan);
  add_cholesky_row(rows, "batch", {3, 3, 3}, 5);
  rows.add("cholesky", "1x1", f, {Tensor<double>{{4}}}, {Tensor<double>{{2}}});
  rows.add("cholesky", "empty", f, {empty({2, 0, 0})}, {empty({2, 0, 0})})
      .edge({empty({0, 2, 2})}, empty({0, 2, 2}), {})
      .edge({Tensor<double>{{1, 0}, {nan, 1}}}, Tensor<double>{{nan, 0}, {nan, nan}}, {});
}

// Q and R of a matrix with independent columns, by Gram and Schmidt.
Tensors factors_by_loops(const Tensor<double>& a) {
  const Index m = a.shape()[0];
  const Index n = a.shape()[1];
  const Index k = std::min(m, n);
  Tensor<double> q = Tensor<double>::zeros({m, k});
  for (Index j = 0; j < k; ++j) {
    for (Index i = 0; i < m; ++i) q(i, j) = a(i, j);
    // Twice, so that rounding leaves them orthogonal.
    for (Index l = 0; l < 2 * j; ++l) {
      double along = 0;
      for (Index i = 0; i < m; ++i) along += q(i, l % j) * q(i, j);
      for (Index i = 0; i < m; ++i) q(i, j) -= along * q(i, l % j);
    }
    double norm = 0;
    for (Index i = 0; i < m; ++i) norm += q(i, j) * q(i, j);
    for (Index i = 0; i < m; ++i) q(i, j) /= std::sqrt(norm);
  }
  const Tensor<double> r = multiply_by_loops(transpose_by_loops(q), a);
  return {q, masked(r, [](Index i, Index j) { return i <= j; })};
}

void add_qr_rows(Rows& rows) {
  const auto f = [](const auto& v) {
    const auto [q, r] = qr(v[0]);
    return std::vector{q, r};
  };
  const auto add = [&](const std::string& variant, const Tensor<double>& a) -> Row& {
    return rows.add("qr", variant, f, {a}, factors_by_loops(a));
  };
  add("square", dominant({3, 3}, 13))
      .edge({Tensor<double>{{0, -2}, {3, 1}}}, Tensor<double>{{0, -1}, {1, 0}}, {})
      .edge({Tensor<double>{{nan, -2}, {3, 1}}}, Tensor<double>::full({2, 2}, nan), {})
      .edge({empty({0, 2, 2})}, empty({0, 2, 2}), {})
      .edge({empty({3, 0})}, empty({3, 0}), {})
      .edge({empty({0, 3})}, empty({0, 0}), {})
      .reject({empty({2})});
  add("tall", dominant({5, 3}, 14));
  add("wide", dominant({3, 5}, 15));
  const Tensor<double> a = dominant({4, 3}, 16);
  const Tensor<double> b = dominant({4, 3}, 17);
  const Tensors of_a = factors_by_loops(a);
  const Tensors of_b = factors_by_loops(b);
  rows.add("qr", "batch", f, {batch_of({a, b})},
           {batch_of({of_a[0], of_b[0]}), batch_of({of_a[1], of_b[1]})});
  rows.add("qr", "R only", [](const auto& v) { return qr(v[0]).r; }, {a}, {of_a[1]});
}

}  // namespace

void add_factor_rows(Rows& rows) {
  const Tensor<double> a = dominant({3, 3}, 12);
  rows.add("lu_factor", "", [](const auto& v) { return lu_factor(v[0]); }, {a}, {a})
      .reject({empty({3})})
      .reject({empty({3, 2})});
  add_cholesky_rows(rows);
  add_qr_rows(rows);
}

}  // namespace fjord::test
