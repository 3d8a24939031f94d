#include <cmath>

#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

namespace {

void add_order_rows(Rows& rows) {
  const Tensor<double> x{{2, -3, 6}, {1, 2, -2}};
  rows.add("norm", "order 1", [](const auto& v) { return norm(v[0], 1); }, {x},
           {Tensor<double>(16.0)})
      .edge({Tensor<double>{0, -3}}, Tensor<double>(3.0), {Tensor<double>{0, -1}});
  rows.add("norm", "order inf, axis 1", [](const auto& v) { return norm(v[0], {1}, false, inf); },
           {Tensor<double>{{2, -3, 6}, {1, 2, -2.5}}}, {Tensor<double>{6, 2.5}})
      .edge({Tensor<double>{{-2, 2}, {0, 0}}}, Tensor<double>{2, 0},
            {Tensor<double>{{-0.5, 0.5}, {0, 0}}})
      .edge({Tensor<double>{{-2, nan}}}, Tensor<double>{nan}, {})
      .reject({Tensor<double>::zeros({2, 0})});
  rows.add("norm", "order 3", [](const auto& v) { return norm(v[0], 3); }, {x},
           {Tensor<double>(std::cbrt(8 + 27 + 216 + 1 + 8 + 8))})
      .edge({Tensor<double>{0, 0}}, Tensor<double>(0.0), {Tensor<double>{0, 0}})
      .edge({Tensor<double>{0, -3}}, Tensor<double>(3.0), {Tensor<double>{0, -1}})
      .edge({Tensor<double>{-1e200, 0}}, Tensor<double>(1e200), {Tensor<double>{-1, 0}})
      .edge({Tensor<double>{1e-200, 0}}, Tensor<double>(1e-200), {Tensor<double>{1, 0}})
      .edge({Tensor<double>{1, -inf}}, Tensor<double>(inf), {})
      .edge({Tensor<double>{1, nan}}, Tensor<double>(nan), {})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(0.0), {});
  rows.add("norm", "order 1.5, axis 0, keep_dims",
           [](const auto& v) { return norm(v[0], {0}, true, 1.5); },
           {Tensor<double>{{4, -9}, {1, 4}}},
           {Tensor<double>{{std::pow(9, 2.0 / 3), std::pow(35, 2.0 / 3)}}});
}

}  // namespace

void add_norm_rows(Rows& rows) {
  const Tensor<double> x{{2, -3, 6}, {1, 2, -2}};
  constexpr double least = 5e-324;
  rows.add("norm", "", [](const auto& v) { return norm(v[0]); }, {x},
           {Tensor<double>(std::sqrt(58.0))})
      .edge({Tensor<double>{0, 0}}, Tensor<double>(0.0), {Tensor<double>{0, 0}})
      .edge({Tensor<double>{3e300, -4e300}}, Tensor<double>(5e300), {Tensor<double>{0.6, -0.8}})
      .edge({Tensor<double>{3e-300, 4e-300}}, Tensor<double>(5e-300), {Tensor<double>{0.6, 0.8}})
      .edge({Tensor<double>{3e-300, 4}}, Tensor<double>(4.0), {Tensor<double>{7.5e-301, 1}})
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
  add_order_rows(rows);
  rows.add("sum_squares", "", [](const auto& v) { return sum_squares(v[0]); }, {x},
           {Tensor<double>(58.0)})
      .edge({Tensor<double>{0, 3}}, Tensor<double>(9.0), {Tensor<double>{0, 6}})
      .edge({Tensor<double>{1, -inf}}, Tensor<double>(inf), {Tensor<double>{2, -inf}})
      .edge({Tensor<double>{1, nan}}, Tensor<double>(nan), {Tensor<double>{2, nan}})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(0.0), {});
  rows.add("sum_squares", "axis 0", [](const auto& v) { return sum_squares(v[0], {0}); }, {x},
           {Tensor<double>{5, 13, 40}})
      .reject({Tensor<double>(1.0)});
  rows.add("sum_squares", "axis -1, keep_dims",
           [](const auto& v) { return sum_squares(v[0], {-1}, true); }, {x},
           {Tensor<double>{{49}, {9}}});
}

}  // namespace fjord::test
