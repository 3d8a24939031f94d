#include "fjord/tests/support/battery.hpp"

#include <cmath>
#include <map>
#include <sstream>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord::test {
namespace {

// The error of an entry relative to its own size, or to `size` if that is larger.
double relative(double a, double b, double size) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double error = std::abs(a - b) / std::max({size, std::abs(a), std::abs(b)});
  if (std::isnan(error)) return inf;
  return error;
}

double largest_finite(const std::vector<double>& entries) {
  double result = 0;
  for (const double entry : entries) {
    if (std::isfinite(entry)) result = std::max(result, std::abs(entry));
  }
  return result;
}

// The size that errors are relative to: that of the entry, at least `least`, and if `of_tensor` at
// least that of the tensor's largest entry.
struct Unit {
  double least = 0;
  bool of_tensor = false;
};

std::string text(double value) {
  std::ostringstream out;
  out.precision(17);
  out << value;
  return out.str();
}

template <class T>
Vars<T> record(Tape<T>& tape, const Tensors& at) {
  Vars<T> inputs;
  for (const Tensor<double>& x : at) inputs.push_back(tape.input(x.as<T>()));
  return inputs;
}

template <class T>
Tensors values(const Vars<T>& vars) {
  Tensors result;
  for (const Var<T>& var : vars) result.push_back(Tensor<T>(var.value()).template as<double>());
  return result;
}

// A sentence on the first entry that differs by more than the tolerance; empty if none does.
std::string difference(const Tensors& got, const Tensors& expected, double tolerance,
                       const std::string& what, const Unit& unit = {}) {
  if (got.size() != expected.size()) {
    return what + ": " + std::to_string(got.size()) + " results, expected " +
           std::to_string(expected.size());
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(got[i].shape() == expected[i].shape())) {
      return what + " " + std::to_string(i) + " has shape " + to_string(got[i].shape()) +
             ", expected " + to_string(expected[i].shape());
    }
    const std::vector<double> a = got[i].to_vector();
    const std::vector<double> b = expected[i].to_vector();
    const double size = std::max(unit.least, unit.of_tensor ? largest_finite(b) : 0);
    for (std::size_t k = 0; k < a.size(); ++k) {
      if (relative(a[k], b[k], size) <= tolerance) continue;
      return what + " " + std::to_string(i) + ", entry " + std::to_string(k) + ": " + text(a[k]) +
             ", expected " + text(b[k]);
    }
  }
  return {};
}

// Whether std::invalid_argument came with "[op] ...", and what came instead.
std::string expect_rejection(const std::function<void()>& call, const std::string& what) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    return message.starts_with("[") && message.find("] ") != std::string::npos
               ? ""
               : what + " is refused without naming the operation: " + message;
  } catch (const std::exception& error) {
    return what + " throws another exception: " + error.what();
  }
  return what + " is not refused";
}

std::string check_values(const Row& row) {
  Tape<double> tape;
  return difference(values(row.f(record(tape, row.at))), row.expected, row.tolerance, "result",
                    {row.least});
}

Tensors ones_like(const Tensors& tensors) {
  Tensors result;
  for (const Tensor<double>& t : tensors) result.push_back(Tensor<double>::ones(t.shape()));
  return result;
}

// Weights for the results of f at a point.
using Weights = std::function<Tensor<double>(const Shape&)>;

Tensor<double> all_ones(const Shape& shape) {
  return Tensor<double>::ones(shape);
}

// No combination of results that is constant: the sum of a softmax has no gradient but rounding.
Tensor<double> all_unlike(const Shape& shape) {
  return sample(shape, 4000);
}

// The gradient of the weighted sum of all results, by the reverse sweep of values.
template <class T>
Tensors gradient_of_sum(const std::function<Vars<T>(const Vars<T>&)>& f, const Tensors& at,
                        const Weights& weights = all_ones) {
  Tape<T> tape;
  const Vars<T> inputs = record(tape, at);
  const Vars<T> outputs = f(inputs);
  std::vector<Tensor<T>> seeds;
  for (const Var<T>& y : outputs) seeds.push_back(weights(y.shape()).template as<T>());
  const std::vector<TensorView<T>> views(seeds.begin(), seeds.end());
  Tensors result;
  for (const TensorView<T>& g : pullback_values<T>(outputs, views, inputs)) {
    result.push_back(Tensor<T>(g).template as<double>());
  }
  return result;
}

// Along the weights of every input, by the forward sweep.
template <class T>
Tensors tangent_along(const std::function<Vars<T>(const Vars<T>&)>& f, const Tensors& at,
                      const Weights& weights = all_ones) {
  Tape<T> tape;
  const Vars<T> inputs = record(tape, at);
  Tensors directions;
  for (const Tensor<double>& x : at) directions.push_back(weights(x.shape()));
  return values(pushforward<T>(inputs, record(tape, directions), f(inputs)));
}

std::string check_float(const Row& row) {
  Tape<float> tape;
  std::string failure = difference(values(row.f_float(record(tape, row.at))), row.expected,
                                   row.float_tolerance, "float result", {row.least});
  if (failure.empty()) {
    failure = difference(gradient_of_sum<float>(row.f_float, row.at, all_unlike),
                         gradient_of_sum<double>(row.f, row.at, all_unlike), row.float_tolerance,
                         "float gradient", {.least = row.least, .of_tensor = true});
  }
  if (failure.empty()) {
    failure = difference(tangent_along<float>(row.f_float, row.at, all_unlike),
                         tangent_along<double>(row.f, row.at, all_unlike), row.float_tolerance,
                         "float tangent", {.least = row.least, .of_tensor = true});
  }
  return failure;
}

std::string check_edge(const Row& row, const Edge& edge) {
  constexpr double tolerance = 1e-15;
  Tape<double> tape;
  const Vars<double> inputs = record(tape, edge.at);
  const Vars<double> outputs = row.f(inputs);
  std::string where = "at";
  for (const Tensor<double>& x : edge.at) where += " " + to_string<double>(x);
  std::string failure =
      difference({values(outputs).front()}, {edge.value}, tolerance, where + ": value");
  if (!failure.empty() || edge.gradient.empty()) return failure;
  failure = difference(gradient_of_sum<double>(row.f, edge.at), edge.gradient, tolerance,
                       where + ": gradient");
  if (!failure.empty()) return failure;
  const Vars<double> seeds = record(tape, ones_like(values(outputs)));
  failure = difference(values(pullback(outputs, seeds, inputs)), edge.gradient, tolerance,
                       where + ": recorded gradient");
  if (!failure.empty() || edge.at.size() > 1 || edge.at.front().size() != 1) return failure;
  // One number in, so that the forward sweep alone gives the derivative.
  double slope = 0;
  for (const Tensor<double>& t : tangent_along<double>(row.f, edge.at)) {
    for (const double entry : t.storage()) slope += entry;
  }
  return difference({Tensor<double>(slope)}, {Tensor<double>(edge.gradient.front().to_vector()[0])},
                    tolerance, where + ": tangent");
}

std::string check_errors(const Row& row) {
  std::string failure;
  const auto note = [&](const std::string& found) {
    if (failure.empty()) failure = found;
  };
  Tape<double> tape;
  const Vars<double> good = record(tape, row.at);
  const typename Tape<double>::Mark mark = tape.mark();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Vars<double> bad = good;
    bad[i] = Var<double>();
    note(expect_rejection([&] { row.f(bad); }, "empty handle " + std::to_string(i)));
    bad[i] = tape.input(row.at[i]);
    tape.rewind(mark);
    note(expect_rejection([&] { row.f(bad); }, "ended handle " + std::to_string(i)));
    if (good.size() == 1) continue;
    Tape<double> other;
    bad[i] = other.input(row.at[i]);
    note(expect_rejection([&] { row.f(bad); }, "foreign handle " + std::to_string(i)));
  }
  for (std::size_t k = 0; k < row.rejected.size(); ++k) {
    const Vars<double> bad = record(tape, row.rejected[k]);
    note(expect_rejection([&] { row.f(bad); }, "rejected arguments " + std::to_string(k)));
  }
  return failure;
}

std::string check_no_derivative(const Row& row) {
  for (const Tensors& found :
       {gradient_of_sum<double>(row.f, row.at), tangent_along<double>(row.f, row.at)}) {
    for (const Tensor<double>& tensor : found) {
      for (const double entry : tensor.storage()) {
        if (entry != 0) return "a derivative is " + text(entry) + ", expected 0";
      }
    }
  }
  return {};
}

std::string above(double error, double tolerance) {
  return error <= tolerance ? "" : "error " + text(error) + " is above " + text(tolerance);
}

}  // namespace

Row& Row::edge(double x, double value, double slope) {
  return edge({Tensor<double>(x)}, Tensor<double>(value), {Tensor<double>(slope)});
}

Row& Row::edge(Tensors point, Tensor<double> value, Tensors gradient) {
  edges.push_back({std::move(point), std::move(value), std::move(gradient)});
  return *this;
}

Row& Row::reject(Tensors arguments) {
  rejected.push_back(std::move(arguments));
  return *this;
}

Row& Row::with_h(double step) {
  h = step;
  return *this;
}

Row& Row::with_tolerance(double value, double single) {
  tolerance = value;
  float_tolerance = single;
  return *this;
}

Row& Row::with_least(double size) {
  least = size;
  return *this;
}

Row& Row::not_differentiable() {
  differentiable = false;
  return *this;
}

std::vector<Cell> run_battery(const Row& row) {
  std::vector<Cell> cells;
  const auto run = [&](const char* column, const std::function<std::string()>& check) {
    Cell cell{column, {}};
    try {
      cell.failure = check();
    } catch (const std::exception& error) {
      cell.failure = std::string("threw ") + error.what();
    }
    cells.push_back(cell);
  };
  run("value", [&] { return check_values(row); });
  if (row.differentiable) {
    GradientCheck found;
    run("reverse", [&] {
      found = check_gradient(CheckedFunctions(row.f), row.at, row.h, 0);
      return above(found.reverse, 1e-9) + above(found.recorded, 1e-12);
    });
    run("forward", [&] { return above(found.forward, 1e-12) + above(found.stacked, 1e-12); });
    run("nestings", [&] { return above(found.second, 1e-11) + above(found.symmetry, 1e-12); });
    run("curvature", [&] { return above(found.curvature, 1e-8); });
  } else {
    for (const char* column : {"reverse", "forward", "nestings", "curvature"}) {
      run(column, [&] { return check_no_derivative(row); });
    }
  }
  run("float", [&] { return check_float(row); });
  run("edges", [&] {
    std::string failure;
    for (const Edge& edge : row.edges) {
      if (failure.empty()) failure = check_edge(row, edge);
    }
    return failure;
  });
  run("errors", [&] { return check_errors(row); });
  return cells;
}

std::string operations_table(const std::vector<Row>& rows,
                             const std::vector<std::vector<Cell>>& cells) {
  std::string out =
      R"(# Operations

Made by the tests: every cell is a check that ran.

* *value*: against numbers by other means, each entry relative to its own size;
* *reverse*: the gradient, by a sweep of values and by a recorded one, against finite differences;
* *forward*: the dot test, and several tangents at once;
* *nestings*: forward over reverse and the other three give the same Hessian, which is symmetric;
* *curvature*: the Hessian against finite differences of the gradient;
* *float*: single precision against double;
* *edges*: points where a convention or a limit decides, relative to their own size; the number
  counts them;
* *errors*: wrong handles and arguments are refused, in the operation's name.

`tests/support/battery.hpp` has the tolerances. *zero* means that no derivative flows.

| operation |)";
  for (const Cell& cell : cells.front()) out += " " + cell.column + " |";
  out += "\n|---|";
  for (std::size_t i = 0; i < cells.front().size(); ++i) out += "---|";
  out += "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out +=
        "| " + rows[i].name + (rows[i].variant.empty() ? "" : " (" + rows[i].variant + ")") + " |";
    for (const Cell& cell : cells[i]) {
      if (!cell.failure.empty()) {
        out += " FAILS |";
      } else if (cell.column == "edges") {
        out += " " + std::to_string(rows[i].edges.size()) + " |";
      } else if (!rows[i].differentiable && cell.column != "value" && cell.column != "float" &&
                 cell.column != "errors") {
        out += " zero |";
      } else {
        out += " yes |";
      }
    }
    out += "\n";
  }
  return out;
}

Tensor<double> sample(const Shape& shape, std::uint64_t key, double scale) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  RandomKey(key).normal(numbers.storage());
  for (double& entry : numbers.storage()) entry *= scale;
  return numbers;
}

}  // namespace fjord::test
