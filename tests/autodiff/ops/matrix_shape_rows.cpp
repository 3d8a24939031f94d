#include "fjord/autodiff/ops/matrix_shape.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

void add_diagonal_rows(Rows& rows) {
  const Tensor<double> x{{1, 2, 3}, {4, 5, 6}};
  rows.add("diag", "of a vector", [](const auto& v) { return diag(v[0]); }, {Tensor<double>{1, 2}},
           {Tensor<double>{{1, 0}, {0, 2}}})
      .edge({Tensor<double>{nan, 2}}, Tensor<double>{{nan, 0}, {0, 2}}, {Tensor<double>{1, 1}})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>::zeros({0, 0}), {})
      .reject({Tensor<double>(1.0)})
      .reject({Tensor<double>::zeros({1, 1, 1})});
  rows.add("diag", "of a vector, k = -1", [](const auto& v) { return diag(v[0], -1); },
           {Tensor<double>{1, 2}}, {Tensor<double>{{0, 0, 0}, {1, 0, 0}, {0, 2, 0}}});
  rows.add("diag", "of a matrix, k = 1", [](const auto& v) { return diag(v[0], 1); }, {x},
           {Tensor<double>{2, 6}})
      .edge({Tensor<double>{{nan}}}, Tensor<double>::zeros({0}), {Tensor<double>{{0}}});
  rows.add("diag", "of a matrix, k = -1", [](const auto& v) { return diag(v[0], -1); }, {x},
           {Tensor<double>{4}});
  rows.add("tril", "", [](const auto& v) { return tril(v[0]); }, {x},
           {Tensor<double>{{1, 0, 0}, {4, 5, 0}}})
      .edge({Tensor<double>{{1, nan}, {2, inf}}}, Tensor<double>{{1, 0}, {2, inf}},
            {Tensor<double>{{1, 0}, {1, 1}}})
      .reject({Tensor<double>{1, 2}});
  rows.add("tril", "k = 1", [](const auto& v) { return tril(v[0], 1); }, {x},
           {Tensor<double>{{1, 2, 0}, {4, 5, 6}}});
  rows.add("triu", "", [](const auto& v) { return triu(v[0]); }, {x},
           {Tensor<double>{{1, 2, 3}, {0, 5, 6}}})
      .reject({Tensor<double>{1, 2}});
  rows.add("triu", "batch, k = -1", [](const auto& v) { return triu(v[0], -1); },
           {Tensor<double>{{{1, 2}, {3, 4}, {5, 6}}, {{-1, -2}, {-3, -4}, {-5, -6}}}},
           {Tensor<double>{{{1, 2}, {3, 4}, {0, 6}}, {{-1, -2}, {-3, -4}, {0, -6}}}});
}

void add_product_rows(Rows& rows) {
  const Tensor<double> x{{1, 2}, {3, 4}};
  rows.add("outer", "", [](const auto& v) { return outer(v[0], v[1]); },
           {x, Tensor<double>{5, -6, 7}},
           {Tensor<double>{{5, -6, 7}, {10, -12, 14}, {15, -18, 21}, {20, -24, 28}}})
      .edge({Tensor<double>(2.0), Tensor<double>::zeros({0})}, Tensor<double>::zeros({1, 0}), {});
  rows.add("kron", "", [](const auto& v) { return kron(v[0], v[1]); },
           {x, Tensor<double>{{0.5, -1, 2}}},
           {Tensor<double>{{0.5, -1, 2, 1, -2, 4}, {1.5, -3, 6, 2, -4, 8}}})
      .edge({Tensor<double>(2.0), Tensor<double>(3.0)}, Tensor<double>(6.0),
            {Tensor<double>(3.0), Tensor<double>(2.0)})
      .reject({Tensor<double>::zeros({1, 1, 1, 1, 1, 1, 1, 1, 1}), Tensor<double>(1.0)});
  rows.add("kron", "vector and matrix", [](const auto& v) { return kron(v[0], v[1]); },
           {Tensor<double>{2, -1}, x}, {Tensor<double>{{2, 4, -1, -2}, {6, 8, -3, -4}}});
}

}  // namespace

void add_matrix_shape_rows(Rows& rows) {
  add_diagonal_rows(rows);
  add_product_rows(rows);
}

}  // namespace fjord::test
