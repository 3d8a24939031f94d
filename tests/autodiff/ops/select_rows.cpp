#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
// Meets two of `some`, so that masks are seen at ties.
const std::vector<double> others{-0.4, 0.8, 2.6};
const Tensors mismatch{Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})};

// Four pairs in which no order holds or both are equal, and what the mask is there.
Tensors odd_pairs() {
  return {{nan, nan, inf, -0.0}, {nan, 1, inf, 0}};
}

template <class F>
Row& add_mask(Rows& rows, const char* name, F f, const std::function<bool(double, double)>& holds,
              const Tensor<double>& at_odd_pairs) {
  return rows
      .binary(
          name, f, [holds](double a, double b) { return holds(a, b) ? 1.0 : 0.0; }, some, others)
      .edge(odd_pairs(), at_odd_pairs, {Tensor<double>::zeros({4}), Tensor<double>::zeros({4})})
      .reject(mismatch)
      .not_differentiable();
}

template <class F>
void add_mask_of_number(Rows& rows, const char* name, F f, const std::function<bool(double)>& holds,
                        double at_nan) {
  rows.unary(name, f, [holds](double x) { return holds(x) ? 1.0 : 0.0; }, {-1.7, 0.3, 1.25, 2.6})
      .edge(nan, at_nan, 0)
      .not_differentiable()
      .variant = "with a number";
}

void add_masks(Rows& rows) {
  add_mask(
      rows, "operator>", [](const auto& a, const auto& b) { return a > b; },
      [](double a, double b) { return a > b; }, {0, 0, 0, 0});
  add_mask(
      rows, "operator>=", [](const auto& a, const auto& b) { return a >= b; },
      [](double a, double b) { return a >= b; }, {0, 0, 1, 1});
  add_mask(
      rows, "operator<", [](const auto& a, const auto& b) { return a < b; },
      [](double a, double b) { return a < b; }, {0, 0, 0, 0});
  add_mask(
      rows, "operator<=", [](const auto& a, const auto& b) { return a <= b; },
      [](double a, double b) { return a <= b; }, {0, 0, 1, 1});
  add_mask(
      rows, "equal", [](const auto& a, const auto& b) { return equal(a, b); },
      [](double a, double b) { return a == b; }, {0, 0, 1, 1});
  add_mask(
      rows, "not_equal", [](const auto& a, const auto& b) { return not_equal(a, b); },
      [](double a, double b) { return a != b; }, {1, 1, 0, 0});
  add_mask_of_number(
      rows, "operator>", [](const auto& x) { return x > 1.25f; }, [](double x) { return x > 1.25; },
      0);
  add_mask_of_number(
      rows, "operator>=", [](const auto& x) { return x >= 1.25f; },
      [](double x) { return x >= 1.25; }, 0);
  add_mask_of_number(
      rows, "operator<", [](const auto& x) { return x < 1.25f; }, [](double x) { return x < 1.25; },
      0);
  add_mask_of_number(
      rows, "operator<=", [](const auto& x) { return x <= 1.25f; },
      [](double x) { return x <= 1.25; }, 0);
  add_mask_of_number(
      rows, "equal", [](const auto& x) { return equal(x, 1.25f); },
      [](double x) { return x == 1.25; }, 0);
  add_mask_of_number(
      rows, "not_equal", [](const auto& x) { return not_equal(x, 1.25f); },
      [](double x) { return x != 1.25; }, 1);
}

}  // namespace

void add_select_rows(Rows& rows) {
  add_masks(rows);
  const Tensor<double> mask{1, 0, 1};
  const Tensor<double> a{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> b{{-1}, {-2}};
  rows.add("where", "", [](const auto& v) { return where(stop_gradient(v[0]), v[1], v[2]); },
           {mask, a, b}, {{{1, -1, 3}, {4, -2, 6}}})
      .edge({Tensor<double>(1.0), Tensor<double>(2.0), Tensor<double>(nan)}, Tensor<double>(2.0),
            {Tensor<double>(0.0), Tensor<double>(1.0), Tensor<double>(0.0)})
      .reject({mask, a, Tensor<double>{1, 2}});
  // A tie in the middle; NaN wins, and two share as others do.
  const Tensors pairs{{inf, 2, -inf, nan, 1, nan}, {1, 2, inf, 1, nan, nan}};
  rows.binary(
          "maximum", [](const auto& x, const auto& y) { return maximum(x, y); },
          [](double x, double y) { return std::max(x, y); }, some, {-0.9, 0.8, 2.1})
      .edge(pairs, {inf, 2, inf, nan, nan, nan}, {{1, 0.5, 0, 1, 0, 0.5}, {0, 0.5, 1, 0, 1, 0.5}})
      .reject(mismatch);
  rows.binary(
          "minimum", [](const auto& x, const auto& y) { return minimum(x, y); },
          [](double x, double y) { return std::min(x, y); }, some, {-0.9, 0.8, 2.1})
      .edge(pairs, {1, 2, -inf, nan, nan, nan}, {{0, 0.5, 1, 1, 0, 0.5}, {1, 0.5, 0, 0, 1, 0.5}})
      .reject(mismatch);
  rows.unary(
          "maximum", [](const auto& x) { return maximum(x, 0.75f); },
          [](double x) { return std::max(x, 0.75); }, some)
      .edge(0.75, 0.75, 0.5)
      .edge(nan, nan, 1)
      .variant = "with a number";
  rows.unary(
          "minimum", [](const auto& x) { return minimum(x, 0.75f); },
          [](double x) { return std::min(x, 0.75); }, some)
      .edge(0.75, 0.75, 0.5)
      .edge(nan, nan, 1)
      .variant = "with a number";
  rows.unary(
          "clamp", [](const auto& x) { return clamp(x, -0.5f, 1.5f); },
          [](double x) { return std::clamp(x, -0.5, 1.5); }, some)
      .edge(-0.5, -0.5, 1)
      .edge(1.5, 1.5, 1)
      .edge(-inf, -0.5, 0)
      .edge(inf, 1.5, 0)
      .edge({Tensor<double>(nan)}, Tensor<double>(nan), {});
}

}  // namespace fjord::test
