#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

// Rows whose right-hand sides are made from the solution.
void add_solve_row(Rows& rows, const std::string& variant, const Shape& matrix,
                   const Shape& solution, Side side = Side::left) {
  const Tensor<double> a = dominant(matrix, 21);
  const Tensor<double> x = sample(solution, 22);
  const Tensor<double> b = side == Side::left ? multiply_by_loops(a, x) : multiply_by_loops(x, a);
  rows.add("solve", variant, [side](const auto& v) { return solve(v[0], v[1], side); }, {a, b},
           {x});
}

void add_general_rows(Rows& rows) {
  const auto f = [](const auto& v) { return solve(v[0], v[1]); };
  const Tensor<double> a{{2, 1}, {1, 3}};
  rows.add("solve", "vector", f, {a, Tensor<double>{3, 4}}, {Tensor<double>{1, 1}})
      .edge({Tensor<double>{{nan, 1}, {1, 3}}, Tensor<double>{3, 4}}, Tensor<double>{nan, nan}, {})
      .reject({a, Tensor<double>{1, 2, 3}})
      .reject({a, Tensor<double>(1.0)})
      .reject({a, empty({3, 2})})
      .reject({empty({2}), a})
      .reject({empty({2, 2, 2}), empty({3, 2, 2})});
  add_solve_row(rows, "left", {4, 4}, {4, 3});
  add_solve_row(rows, "right", {4, 4}, {3, 4}, Side::right);
  add_solve_row(rows, "left, batch", {3, 3, 3}, {3, 3, 2});
  add_solve_row(rows, "right, batch", {3, 3, 3}, {3, 2, 3}, Side::right);
  rows.add("solve", "right, vector", [](const auto& v) { return solve(v[0], v[1], Side::right); },
           {Tensor<double>{{2, 1}, {0, 3}}, Tensor<double>{2, 4}}, {Tensor<double>{1, 1}});
  rows.add("solve", "broadcast", f,
           {a.reshaped({1, 2, 2}), Tensor<double>{{{3}, {4}}, {{-1}, {2}}}},
           {Tensor<double>{{{1}, {1}}, {{-1}, {1}}}});
  rows.add("solve", "one matrix for a batch", f,
           {a, Tensor<double>{{{3, -1}, {4, 2}}, {{4, 1}, {2, 3}}}},
           {Tensor<double>{{{1, -1}, {1, 1}}, {{2, 0}, {0, 1}}}})
      .reject({a, empty({2, 3, 2})})
      .edge({a, empty({0, 2, 1})}, empty({0, 2, 1}), {empty({2, 2}), empty({0, 2, 1})});
  rows.add("solve", "right, one matrix for a batch",
           [](const auto& v) { return solve(v[0], v[1], Side::right); },
           {a, Tensor<double>{{{{4, 7}}}, {{{-1, 2}}}}}, {Tensor<double>{{{{1, 2}}}, {{{-1, 1}}}}});
  rows.add("solve", "of kept factors, twice",
           [](const auto& v) {
             const auto known = lu_factor(v[0]);
             return solve(known, solve(known, v[1]));
           },
           {a, Tensor<double>{10, 15}}, {Tensor<double>{1, 1}});
  rows.add("lu_solve", "", [](const auto& v) { return lu_solve(lu_factor(v[0]), v[1]); },
           {a, Tensor<double>{10, 15}}, {Tensor<double>{3, 4}})
      .edge({Tensor<double>{{4, 0}, {0, 2}}, Tensor<double>{4, 4}}, Tensor<double>{1, 2}, {})
      .reject({empty({2, 3}), empty({2})})
      .reject({a, empty({3})});
  rows.add("solve", "empty", f, {empty({0, 0}), empty({0, 2})}, {empty({0, 2})})
      .edge({a, empty({2, 0})}, empty({2, 0}), {empty({2, 2}), empty({2, 0})})
      .edge({empty({0, 2, 2}), empty({0, 2, 2})}, empty({0, 2, 2}), {});
}

void add_inverse_rows(Rows& rows) {
  const auto f = [](const auto& v) { return inverse(v[0]); };
  rows.add("inverse", "2x2", f, {Tensor<double>{{2, 1}, {1, 3}}},
           {Tensor<double>{{0.6, -0.2}, {-0.2, 0.4}}})
      .edge({Tensor<double>{{4, 0}, {0, 2}}}, Tensor<double>{{0.25, 0}, {0, 0.5}},
            {Tensor<double>{{-0.0625, -0.125}, {-0.125, -0.25}}})
      .edge({Tensor<double>{{inf, 0}, {0, 2}}}, Tensor<double>{{nan, nan}, {nan, nan}}, {})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  // Rows permuted and scaled: known exactly.
  rows.add("inverse", "batch, pivoting", f,
           {Tensor<double>{{{0, 2, 0}, {0, 0, -4}, {1, 0, 0}}, {{1, 1, 0}, {0, 1, 1}, {0, 0, 1}}}},
           {Tensor<double>{{{0, 0, 1}, {0.5, 0, 0}, {0, -0.25, 0}},
                           {{1, -1, 1}, {0, 1, -1}, {0, 0, 1}}}});
  rows.add("inverse", "1x1", f, {Tensor<double>{{4}}}, {Tensor<double>{{0.25}}});
  rows.add("inverse", "empty", f, {empty({2, 0, 0})}, {empty({2, 0, 0})})
      .edge({empty({0, 2, 2})}, empty({0, 2, 2}), {});
}

// What is not read holds NaN; the gradient there must be 0.
void add_triangular_row(Rows& rows, const TriangularForm& form, const Shape& matrix,
                        const Shape& solution, const std::string& more = "") {
  const auto is_read = [&](Index i, Index j) {
    return i == j ? !form.unit_diagonal : (i > j) == form.lower;
  };
  const Tensor<double> full = dominant(matrix, 31);
  Tensor<double> a = masked(full, is_read);
  if (form.unit_diagonal) {
    const Tensor<double> ones = masked(
        Tensor<double>::zeros(matrix), [](Index i, Index j) { return i != j; }, 1);
    for (std::size_t k = 0; k < a.storage().size(); ++k) a.storage()[k] += ones.storage()[k];
  }
  if (form.transposed) a = transpose_by_loops(a);
  const Tensor<double> x = sample(solution, 32);
  const Tensor<double> b =
      form.side == Side::left ? multiply_by_loops(a, x) : multiply_by_loops(x, a);
  const std::string variant = std::string(form.lower ? "lower" : "upper") +
                              (form.transposed ? ", transposed" : "") +
                              (form.unit_diagonal ? ", unit diagonal" : "") +
                              (form.side == Side::right ? ", right" : "") + more;
  rows.add("triangular_solve", variant,
           [form](const auto& v) { return triangular_solve(v[0], v[1], form); },
           {masked(full, is_read, nan), b}, {x})
      .reject({empty({2, 3}), empty({2})})
      .reject({empty({2, 2}), empty({3})});
}

void add_triangular_rows(Rows& rows) {
  for (int flags = 0; flags < 16; ++flags) {
    const bool right = (flags & 8) != 0;
    const TriangularForm form{(flags & 1) == 0, (flags & 2) != 0, (flags & 4) != 0,
                              right ? Side::right : Side::left};
    add_triangular_row(rows, form, {3, 3}, right ? Shape{2, 3} : Shape{3, 2});
  }
  add_triangular_row(rows, {}, {2, 3, 3}, {2, 3, 2}, ", batch");
  add_triangular_row(rows, {.lower = false, .transposed = true, .side = Side::right}, {2, 3, 3},
                     {2, 2, 3}, ", batch");
  rows.add("triangular_solve", "vector", [](const auto& v) { return triangular_solve(v[0], v[1]); },
           {Tensor<double>{{2, 9}, {1, 4}}, Tensor<double>{2, 9}}, {Tensor<double>{1, 2}});

  const Tensor<double> l{{2, 9}, {1, 3}};  // L L^T = [[4, 2], [2, 10]]
  rows.add("cholesky_solve", "", [](const auto& v) { return cholesky_solve(v[0], v[1]); },
           {l, Tensor<double>{{6, 4}, {12, 2}}}, {Tensor<double>{{1, 1}, {1, 0}}})
      .reject({empty({2, 3}), empty({2})})
      .reject({l, empty({3, 2})});
  rows.add("cholesky_solve", "vector, batch",
           [](const auto& v) { return cholesky_solve(v[0], v[1]); },
           {Tensor<double>{{{2, 0}, {1, 3}}, {{1, 0}, {0, 2}}}, Tensor<double>{6, 12}},
           {Tensor<double>{{1, 1}, {6, 3}}});
}

}  // namespace

void add_solve_rows(Rows& rows) {
  add_inverse_rows(rows);
  add_general_rows(rows);
  add_triangular_rows(rows);
}

}  // namespace fjord::test
