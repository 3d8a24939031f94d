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
  const Rows table = all_rows();
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
