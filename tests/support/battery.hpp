/// The one table of operations, and the battery of checks that every row of it runs through.
///
/// A family of operations adds its rows in tests/autodiff/ops/<family>_rows.cpp; nothing else has
/// to change. Rows become lines of docs/operations.md, every cell of which is a check that ran:
///   value      the results at `at` against numbers by other means.
///   reverse    the gradient by the sweep of values against six-point differences, at 1e-9; by the
///              recorded sweep against that of values, at 1e-12.
///   forward    the dot test <u, J v> = <J^T u, v>, and a sweep of two tangents against two of one,
///              at 1e-12.
///   nestings   the four nestings of the two sweeps against each other, at 1e-11, and the Hessian
///              against its transpose, at 1e-12.
///   curvature  the Hessian times a vector against six-point differences of the gradient, at 1e-8.
///   float      values, gradient and tangent in single precision against those in double.
///   edges      at points where a convention or a limit decides: the value and, where the row gives
///              it, the gradient by both sweeps in reverse, and forward if it is one number.
///   errors     empty, ended and foreign handles, and the row's rejected arguments, throw
///              std::invalid_argument "[...] ...".
/// Values and edges are compared entry by entry, relative to the entry's own size, so that 0, inf
/// and NaN must be met exactly. Derivatives of one sweep against another, and of float against
/// double, are relative to the largest entry of the tensor, or of the terms of a sum, since their
/// parts may cancel. Differences are relative to the entry, at least 1: they have an absolute
/// error, that of the values that are subtracted divided by the step.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::test {

using Tensors = std::vector<Tensor<double>>;

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A point where a convention or a limit decides: the value there, and the gradient of its sum.
struct Edge {
  Tensors at;
  Tensor<double> value;
  Tensors gradient;  ///< in every input; empty if not to be checked
};

/// One operation with one set of arguments, and what is known of it.
///
/// Every row is also called with empty handles, and must throw std::invalid_argument "[...] ...".
struct Row {
  std::string name;     ///< as the public header declares it; several rows may share it
  std::string variant;  ///< what tells rows of one name apart: "axis 0", "lower"
  std::function<Vars<double>(const Vars<double>&)> f;
  std::function<Vars<float>(const Vars<float>&)> f_float;
  Tensors at;        ///< where derivatives are taken, away from kinks and ties
  Tensors expected;  ///< the values there by other means: closed form, loops, outside numbers
  double tolerance = 1e-13;       ///< of `expected`, relative to each entry
  double float_tolerance = 2e-5;  ///< of float against `expected`, and its derivatives
  double least = 0;  ///< size of terms of `expected` that cancel: errors are relative to it
  double h = 1e-2;   ///< of the six-point stencil
  bool differentiable = true;  ///< false: derivatives must be exactly zero
  std::vector<Edge> edges;
  std::vector<Tensors> rejected;  ///< arguments for which it must throw std::invalid_argument

  /// Adds a point of one scalar: f(x) and f'(x).
  Row& edge(double x, double value, double slope);
  Row& edge(Tensors point, Tensor<double> value, Tensors gradient);
  Row& reject(Tensors arguments);
  Row& with_h(double step);
  Row& with_tolerance(double value, double single);
  Row& with_least(double size);
  Row& not_differentiable();
};

/// The table. References that `add` returns stay valid until the next `add`.
class Rows final {
 public:
  /// Adds a row for f, a generic callable from Vars<T> to Var<T> or Vars<T>, T float or double.
  template <class F>
  Row& add(std::string name, std::string variant, F f, Tensors at, Tensors expected) {
    Row row;
    row.name = std::move(name);
    row.variant = std::move(variant);
    row.f = [f](const Vars<double>& x) { return as_list(f(x)); };
    row.f_float = [f](const Vars<float>& x) { return as_list(f(x)); };
    row.at = std::move(at);
    row.expected = std::move(expected);
    rows_.push_back(std::move(row));
    return rows_.back();
  }

  /// Adds a row for an elementwise function of one argument; f takes a Var<T>.
  template <class F>
  Row& unary(std::string name, F f, const std::function<double(double)>& reference,
             std::vector<double> points) {
    const Shape shape{static_cast<Index>(points.size())};
    const Tensor<double> at = Tensor<double>::from(shape, points);
    for (double& x : points) x = reference(x);
    return add(std::move(name), "", [f](const auto& x) { return f(x[0]); }, {at},
               {Tensor<double>::from(shape, points)});
  }

  /// Adds a row for an elementwise function of two arguments; f takes two Var<T>.
  ///
  /// The points are broadcast against each other: [n, 1] and [m].
  template <class F>
  Row& binary(std::string name, F f, const std::function<double(double, double)>& reference,
              const std::vector<double>& a, const std::vector<double>& b) {
    const auto n = static_cast<Index>(a.size());
    const auto m = static_cast<Index>(b.size());
    std::vector<double> values;
    for (const double x : a) {
      for (const double y : b) values.push_back(reference(x, y));
    }
    return add(std::move(name), "", [f](const auto& x) { return f(x[0], x[1]); },
               {Tensor<double>::from({n, 1}, a), Tensor<double>::from({m}, b)},
               {Tensor<double>::from({n, m}, values)});
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  template <class T>
  static Vars<T> as_list(const Var<T>& var) {
    return {var};
  }

  template <class T>
  static Vars<T> as_list(const Vars<T>& vars) {
    return vars;
  }

  std::vector<Row> rows_;
};

/// Outcome of one check of one row: a sentence on what failed, empty if it passed.
struct Cell {
  std::string column;  ///< of docs/operations.md
  std::string failure;
};

/// Runs all checks of a row.
std::vector<Cell> run_battery(const Row& row);

/// The text of docs/operations.md from the cells of all rows.
std::string operations_table(const std::vector<Row>& rows,
                             const std::vector<std::vector<Cell>>& cells);

/// Entries that change sign and size but repeat in every run.
Tensor<double> sample(const Shape& shape, std::uint64_t key, double scale = 1);

}  // namespace fjord::test
