#include <cmath>

#include "fjord/autodiff/ops/matrix_function.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

void add_exp_rows(Rows& rows) {
  const auto f = [](const auto& v) { return matrix_exp(v[0]); };
  // Nilpotent: 1 + A + A^2 / 2.
  rows.add("matrix_exp", "nilpotent", f, {Tensor<double>{{0, 2, 3}, {0, 0, 4}, {0, 0, 0}}},
           {Tensor<double>{{1, 2, 7}, {0, 1, 4}, {0, 0, 1}}})
      .edge({empty({2, 2})}, Tensor<double>::identity(2), {Tensor<double>::ones({2, 2})})
      .edge({Tensor<double>{{nan, 0}, {0, 1}}}, Tensor<double>::full({2, 2}, nan), {})
      .edge({Tensor<double>{{inf, 0}, {0, 1}}}, Tensor<double>::full({2, 2}, nan), {})
      .edge({empty({0, 0})}, empty({0, 0}), {})
      .edge({empty({0, 2, 2})}, empty({0, 2, 2}), {})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  rows.add("matrix_exp", "rotation", f, {Tensor<double>{{0, -1.2}, {1.2, 0}}},
           {Tensor<double>{{std::cos(1.2), -std::sin(1.2)}, {std::sin(1.2), std::cos(1.2)}}});
  rows.add("matrix_exp", "1x1", f, {Tensor<double>{{-0.5}}}, {Tensor<double>{{std::exp(-0.5)}}});
  rows.add("matrix_exp", "scaled and squared", f,
           {Tensor<double>{{-1, -2, -3}, {-4, -5, -6}, {-7, -8, -9}}},
           {Tensor<double>{{2.3703878775011322, .2645063729368097, -.8413751316275110},
                           {-.0900545996427410, .7326649140674798, -.4446155722222950},
                           {-1.5504970767866180, -.7991765448018465, .9521439871829201}}});
  // Rotated eigenvalues, of sizes that one alone would scale differently.
  const std::vector<double> small{-0.1, 0.2, 0.05};
  const std::vector<double> large{-7, 0.5, 1};
  const auto exponentials = [](std::vector<double> values) {
    for (double& x : values) x = std::exp(x);
    return values;
  };
  rows.add("matrix_exp", "batch", f, {batch_of({symmetric_with(small), symmetric_with(large)})},
           {batch_of({symmetric_with(exponentials(small)), symmetric_with(exponentials(large))})});
}

void add_matrix_power_rows(Rows& rows) {
  const auto add = [&](int exponent, const Tensor<double>& a,
                       const Tensor<double>& expected) -> Row& {
    return rows.add("matrix_power", std::to_string(exponent),
                    [exponent](const auto& v) { return matrix_power(v[0], exponent); }, {a},
                    {expected});
  };
  const Tensor<double> shear{{1, 1}, {0, 1}};
  add(1, shear, shear).reject({empty({2})}).reject({empty({2, 3})});
  add(2, Tensor<double>{{1, 2}, {3, 4}}, Tensor<double>{{7, 10}, {15, 22}});
  add(5, shear, Tensor<double>{{1, 5}, {0, 1}});
  add(-1, Tensor<double>{{2, 1}, {1, 3}}, Tensor<double>{{0.6, -0.2}, {-0.2, 0.4}});
  // Its high derivatives, some 6^7, ask for a shorter stencil.
  add(-6, shear, Tensor<double>{{1, -6}, {0, 1}}).with_h(2e-3);
  const auto powers = [](std::vector<double> values) {
    for (double& x : values) x = x * x * x;
    return symmetric_with(values);
  };
  add(3, batch_of({symmetric_with({1, -2, 0.5}), symmetric_with({0, 1, 2})}),
      batch_of({powers({1, -2, 0.5}), powers({0, 1, 2})}));
  add(0, shear, Tensor<double>::identity(2)).not_differentiable();
}

}  // namespace

void add_matrix_function_rows(Rows& rows) {
  add_exp_rows(rows);
  add_matrix_power_rows(rows);
}

}  // namespace fjord::test
