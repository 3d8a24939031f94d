#include <cstdlib>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/gamma.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

using namespace fjord;
using namespace fjord::test;

TEST_CASE("operations: every row of the table passes the battery") {
  Rows table;
  add_elementwise_rows(table);
  add_rounding_rows(table);
  add_power_rows(table);
  add_exponential_rows(table);
  add_hyperbolic_rows(table);
  add_trigonometric_rows(table);
  add_error_function_rows(table);
  add_gamma_rows(table);
  add_incomplete_gamma_rows(table);
  add_activation_rows(table);
  add_extreme_rows(table);
  add_index_rows(table);
  add_matrix_shape_rows(table);
  add_join_rows(table);
  add_normalize_rows(table);
  add_norm_rows(table);
  add_reduce_rows(table);
  add_scan_rows(table);
  add_select_rows(table);
  add_shape_rows(table);
  add_softmax_rows(table);
  add_sort_rows(table);
  add_layer_rows(table);
  add_linalg_rows(table);
  add_mlp_rows(table);
  add_loss_rows(table);
  add_einsum_rows(table);
  add_factor_rows(table);
  add_solve_rows(table);
  add_determinant_rows(table);
  add_spectral_rows(table);
  add_matrix_function_rows(table);
  std::vector<std::vector<Cell>> cells;
  for (const Row& row : table.rows()) {
    CAPTURE(row.name);
    CAPTURE(row.variant);
    cells.push_back(run_battery(row));
    for (const Cell& cell : cells.back()) {
      CAPTURE(cell.column);
      CHECK(cell.failure == "");
    }
  }
  // check_operations.py holds this file against the one in the tree and the headers.
  if (const char* path = std::getenv("FJORD_OPERATIONS_TABLE")) {
    write_file(path, operations_table(table.rows(), cells));
  }
}

TEST_CASE("operations: numbers that an operation cannot take are refused, and named") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(1);
  CHECK_THROWS_WITH_AS(clamp(x, 2, 1),
                       "[clamp] low must be at most high, got 2.000000 and 1.000000",
                       std::invalid_argument);
  CHECK_THROWS_AS(clamp(x, nan, 1), std::invalid_argument);
  CHECK_THROWS_WITH_AS(celu(x, 0), "[celu] alpha must be positive, got 0.000000",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(polygamma(-1, x), "[polygamma] the order must be at least 0, got -1",
                       std::invalid_argument);
}

TEST_CASE("operations: an in-place form names a new node, and other handles keep the old one") {
  Tape<double> tape;
  const Var<double> start = tape.scalar(6);
  Var<double> x = start;
  x += start;
  x /= 4;
  (x -= 1) *= x;
  CHECK(start.item() == 6);
  CHECK(x.item() == 4);
  CHECK(gradient_values<double>(x, std::span(&start, 1))[0].item() == 2);
}
