#include <cmath>
#include <functional>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
const std::vector<double> others{0.7, -1.1, 1.9};
const Tensors mismatch{Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})};

void add_operators(Rows& rows) {
  rows.binary(
          "operator+", [](const auto& a, const auto& b) { return a + b; },
          [](double a, double b) { return a + b; }, some, others)
      .reject(mismatch);
  rows.binary(
          "operator-", [](const auto& a, const auto& b) { return a - b; },
          [](double a, double b) { return a - b; }, some, others)
      .reject(mismatch);
  rows.unary(
      "operator-", [](const auto& x) { return -x; }, [](double x) { return -x; }, some);
  rows.binary(
          "operator*", [](const auto& a, const auto& b) { return a * b; },
          [](double a, double b) { return a * b; }, some, others)
      .edge({Tensor<double>(0.0), Tensor<double>(inf)}, Tensor<double>(nan), {})
      .reject(mismatch);
  rows.binary(
          "operator/", [](const auto& a, const auto& b) { return a / b; },
          [](double a, double b) { return a / b; }, some, {0.7, -1.1, 1.9})
      .reject(mismatch);
}

template <class F>
void add_in_place_form(Rows& rows, const char* name, F form,
                       const std::function<double(double, double)>& reference) {
  rows.binary(
          name,
          [form](auto a, const auto& b) {
            form(a, b);
            return a;
          },
          reference, some, others)
      .reject(mismatch);
  rows.unary(
          name,
          [form](auto x) {
            form(x, 0.75f);
            return x;
          },
          [reference](double x) { return reference(x, 0.75); }, some)
      .variant = "with a number";
}

void add_in_place_forms(Rows& rows) {
  add_in_place_form(
      rows, "operator+=", [](auto& a, const auto& b) { a += b; }, std::plus());
  add_in_place_form(
      rows, "operator-=", [](auto& a, const auto& b) { a -= b; }, std::minus());
  add_in_place_form(
      rows, "operator*=", [](auto& a, const auto& b) { a *= b; }, std::multiplies());
  add_in_place_form(
      rows, "operator/=", [](auto& a, const auto& b) { a /= b; }, std::divides());
}

void add_functions(Rows& rows) {
  rows.unary(
          "reciprocal", [](const auto& x) { return reciprocal(x); }, [](double x) { return 1 / x; },
          {-1.4, 0.8, 2.3})
      .edge(inf, 0, 0);
  rows.unary(
          "square", [](const auto& x) { return square(x); }, [](double x) { return x * x; }, some)
      .edge(0, 0, 0);
  rows.unary(
          "sqrt", [](const auto& x) { return sqrt(x); }, [](double x) { return std::sqrt(x); },
          {0.5, 0.9, 1.3, 3.7})
      .edge(0, 0, inf);
  rows.unary(
      "identity", [](const auto& x) { return identity(x); }, [](double x) { return x; }, some);
  rows.unary(
          "stop_gradient", [](const auto& x) { return stop_gradient(x); },
          [](double x) { return x; }, some)
      .not_differentiable();
  rows.unary(
          "zeros_like", [](const auto& x) { return zeros_like(x); }, [](double) { return 0; }, some)
      .not_differentiable()
      .edge({Tensor<double>{{nan, inf}}}, Tensor<double>{{0, 0}}, {Tensor<double>{{0, 0}}});
  rows.unary(
          "ones_like", [](const auto& x) { return ones_like(x); }, [](double) { return 1; }, some)
      .not_differentiable()
      .edge({Tensor<double>{{nan, inf}}}, Tensor<double>{{1, 1}}, {Tensor<double>{{0, 0}}});
}

}  // namespace

void add_elementwise_rows(Rows& rows) {
  add_operators(rows);
  add_in_place_forms(rows);
  add_functions(rows);
}

}  // namespace fjord::test
