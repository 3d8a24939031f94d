#include <cmath>

#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_norm_rows(Rows& rows) {
  const Tensor<double> x{{2, -3, 6}, {1, 2, -2}};
  constexpr double least = 5e-324;
  rows.add("norm", "", [](const auto& v) { return norm(v[0]); }, {x},
           {Tensor<double>(std::sqrt(58.0))})
      .edge({Tensor<double>{0, 0}}, Tensor<double>(0.0), {Tensor<double>{0, 0}})
      .edge({Tensor<double>{3e300, -4e300}}, Tensor<double>(5e300), {Tensor<double>{0.6, -0.8}})
      .edge({Tensor<double>{3e-300, 4e-300}}, Tensor<double>(5e-300), {Tensor<double>{0.6, 0.8}})
      .edge({Tensor<double>{3e-300, 4}}, Tensor<double>(4.0), {Tensor<double>{0, 1}})
      .edge({Tensor<double>{0, least}}, Tensor<double>(least), {Tensor<double>{0, 1}})
      .edge({Tensor<double>{1, -inf}}, Tensor<double>(inf), {})
      .edge({Tensor<double>{0, nan}}, Tensor<double>(nan), {Tensor<double>{nan, nan}})
      .edge({Tensor<double>{inf, nan}}, Tensor<double>(nan), {})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(0.0), {});
  rows.add("norm", "axis 0", [](const auto& v) { return norm(v[0], {0}); }, {x},
           {Tensor<double>{std::sqrt(5.0), std::sqrt(13.0), std::sqrt(40.0)}})
      .edge({Tensor<double>{{0, 3e200, 3}, {0, 4e200, 4}}}, Tensor<double>{0, 5e200, 5},
            {Tensor<double>{{0, 0.6, 0.6}, {0, 0.8, 0.8}}})
      .reject({Tensor<double>(1.0)});
  rows.add("norm", "axis -1, keep_dims", [](const auto& v) { return norm(v[0], {-1}, true); }, {x},
           {Tensor<double>{{7}, {3}}})
      .edge({Tensor<double>{{0, 0}, {3e200, 4e200}}}, Tensor<double>{{0}, {5e200}},
            {Tensor<double>{{0, 0}, {0.6, 0.8}}});
}

}  // namespace fjord::test
