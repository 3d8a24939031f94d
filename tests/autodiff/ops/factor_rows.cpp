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
  rows.add("cholesky", "2x2, lower triangle alone", f, {a}, {Tensor<double>{{2, 0}, {1, 3}}})
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

}  // namespace

void add_factor_rows(Rows& rows) {
  const Tensor<double> a = dominant({3, 3}, 12);
  rows.add("lu_factor", "", [](const auto& v) { return lu_factor(v[0]); }, {a}, {a})
      .reject({empty({3})})
      .reject({empty({3, 2})});
  add_cholesky_rows(rows);
}

}  // namespace fjord::test
