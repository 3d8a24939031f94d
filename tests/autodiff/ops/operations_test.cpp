#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <doctest/doctest.h>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/gamma.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/autodiff/used_memory.hpp"

using namespace fjord;
using namespace fjord::test;

namespace {

// A value and its derivatives by both sweeps, as numbers; empty if the arguments are refused.
struct Results {
  std::vector<double> values;
  std::vector<double> reverse;
  std::vector<double> recorded;
  std::vector<double> forward;
};

void append(std::vector<double>& list, const TensorView<double>& view) {
  const std::vector<double> numbers = Tensor<double>(view).to_vector();
  list.insert(list.end(), numbers.begin(), numbers.end());
}

std::optional<Results> results_of(const Row& row, const Tensors& at, double used) {
  Tape<double> tape;
  const auto record = [&](const Tensors& tensors) {
    Vars<double> vars;
    for (const Tensor<double>& tensor : tensors) vars.push_back(tape.input(tensor));
    return vars;
  };
  use_memory(tape, used);
  Results results;
  try {
    const Vars<double> inputs = record(at);
    const Vars<double> outputs = row.f(inputs);
    Tensors seeds;
    for (const Var<double>& y : outputs) {
      append(results.values, y.value());
      seeds.push_back(sample(y.shape(), seeds.size()));
    }
    const std::vector<TensorView<double>> views(seeds.begin(), seeds.end());
    for (const auto& g : pullback_values<double>(outputs, views, inputs))
      append(results.reverse, g);
    for (const auto& g : pullback(outputs, record(seeds), inputs))
      append(results.recorded, g.value());
    for (const auto& v : pushforward(inputs, record(at), outputs))
      append(results.forward, v.value());
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  } catch (const NumericalError&) {
    return std::nullopt;
  }
  return results;
}

// Equal except for rounding; NaN together.
bool agree(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y)) ||
           std::abs(x - y) <= tolerance * std::max({1.0, std::abs(x), std::abs(y)});
  });
}

// Calls body(shapes) for every choice of a shape for each of `count` arguments.
template <class Body>
void for_each_choice(const std::vector<Shape>& shapes, std::size_t count, Body body) {
  std::vector<std::size_t> chosen(count, 0);
  while (true) {
    Tensors at;
    for (const std::size_t k : chosen) {
      Tensor<double> numbers = sample(shapes[k], 40 + at.size());
      for (double& x : numbers.storage()) x = 0.3 + 0.5 * std::abs(std::sin(x));
      at.push_back(numbers);
    }
    body(at);
    std::size_t i = 0;
    while (i < count && ++chosen[i] == shapes.size()) chosen[i++] = 0;
    if (i == count) return;
  }
}

}  // namespace

TEST_CASE("operations: on every small shape, what memory held before changes nothing") {
  const std::vector<Shape> all{{},     {1},    {3},    {0},    {1, 1},   {1, 3},
                               {3, 1}, {3, 3}, {3, 0}, {0, 3}, {2, 3, 1}};
  const std::vector<Shape> few{{}, {1}, {3}, {1, 1}, {3, 3}, {3, 0}, {0, 3}};
  std::size_t taken = 0;
  const Rows table = all_rows();
  for (const Row& row : table.rows()) {
    const std::size_t count = row.at.size();
    if (count > 4) continue;  // too many choices, nearly all of them refused
    for_each_choice(count <= 2 ? all : few, count, [&](const Tensors& at) {
      const std::optional<Results> zero = results_of(row, at, 0.0);
      const std::optional<Results> stale = results_of(row, at, 1e300);
      std::string shapes;
      for (const Tensor<double>& x : at) shapes += " " + to_string(x.shape());
      CAPTURE(row.name);
      CAPTURE(row.variant);
      CAPTURE(shapes);
      REQUIRE(zero.has_value() == stale.has_value());
      if (!zero) return;
      ++taken;
      CHECK(agree(zero->values, stale->values, 0));
      CHECK(agree(zero->reverse, stale->reverse, 0));
      CHECK(agree(zero->recorded, stale->recorded, 0));
      CHECK(agree(zero->forward, stale->forward, 0));
      const bool is_finite = std::all_of(zero->values.begin(), zero->values.end(),
                                         [](double y) { return std::isfinite(y); });
      if (is_finite) CHECK(agree(zero->reverse, zero->recorded, 1e-9));
    });
  }
  CHECK(taken > 1000);
}

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
  if (const char* path = std::getenv("FJORD_PAGE")) {
    write_file(path, operations_table(table.rows(), cells));
  }
}

TEST_CASE("operations: numbers that an operation cannot take are refused, and named") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(1);
  CHECK_THROWS_WITH_AS(clamp(x, 2, 1),
                       "[clamp] low must be at most high, got 2.000000 and 1.000000",
                       std::invalid_argument);
  CHECK_THROWS_AS(clamp(x, fjord::test::nan, 1), std::invalid_argument);
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
