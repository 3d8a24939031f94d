#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_select_rows(Rows& rows) {
  const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
  rows.unary(
          "is_positive", [](const auto& x) { return is_positive(x); },
          [](double x) { return x > 0 ? 1.0 : 0.0; }, some)
      .edge(0, 0, 0)
      .edge(nan, 0, 0)
      .not_differentiable();
  const Tensor<double> mask{1, 0, 1};
  const Tensor<double> a{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> b{{-1}, {-2}};
  rows.add("where", "", [](const auto& v) { return where(stop_gradient(v[0]), v[1], v[2]); },
           {mask, a, b}, {{{1, -1, 3}, {4, -2, 6}}})
      .edge({Tensor<double>(1.0), Tensor<double>(2.0), Tensor<double>(nan)}, Tensor<double>(2.0),
            {Tensor<double>(0.0), Tensor<double>(1.0), Tensor<double>(0.0)})
      .reject({mask, a, Tensor<double>{1, 2}});
}

}  // namespace fjord::test
