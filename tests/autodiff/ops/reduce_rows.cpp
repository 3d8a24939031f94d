#include <array>
#include <cmath>
#include <vector>

#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

namespace {

void add_sum_rows(Rows& rows) {
  const Tensor<double> x{{1, 2, 3}, {4, 5, 7}};
  rows.add("sum", "all", [](const auto& v) { return sum(v[0]); }, {x}, {Tensor<double>(22.0)})
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>(0.0), {});
  rows.add("sum", "axis 0", [](const auto& v) { return sum(v[0], {0}); }, {x},
           {Tensor<double>{5, 7, 10}})
      .reject({Tensor<double>(1.0)});
  rows.add("sum", "axis -1, keep_dims", [](const auto& v) { return sum(v[0], {-1}, true); }, {x},
           {Tensor<double>{{6}, {16}}});
  rows.add("sum", "axes of a vector",
           [](const auto& v) {
             std::vector<Index> axes;
             for (std::size_t k = 0; k < v[0].shape().rank(); ++k)
               axes.push_back(static_cast<Index>(k));
             return sum(v[0], axes);
           },
           {x}, {Tensor<double>(22.0)});
  rows.add("mean", "axes of an array",
           [](const auto& v) { return mean(v[0], std::array<Index, 1>{-1}); }, {x},
           {Tensor<double>{2, 16.0 / 3}});
  rows.add("mean", "", [](const auto& v) { return mean(v[0]); }, {x}, {Tensor<double>(22.0 / 6)})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(nan), {});
  rows.add("mean", "axis 0, keep_dims", [](const auto& v) { return mean(v[0], {0}, true); }, {x},
           {Tensor<double>{{2.5, 3.5, 5}}})
      .edge({Tensor<double>::zeros({2, 0})}, Tensor<double>::zeros({1, 0}), {})
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>{{nan, nan}}, {})
      .reject({Tensor<double>(1.0)});
  rows.add("broadcast_to", "",
           [](const auto& v) {
             return broadcast_to(v[0], {2, 2, 3});
           },
           {Tensor<double>{{1}, {2}}},
           {Tensor<double>{{{1, 1, 1}, {2, 2, 2}}, {{1, 1, 1}, {2, 2, 2}}}})
      .reject({Tensor<double>{1, 2}});
  rows.add("trace", "", [](const auto& v) { return trace(v[0]); }, {x}, {Tensor<double>(6.0)})
      .reject({Tensor<double>{1, 2}});
  rows.add("trace", "batch", [](const auto& v) { return trace(v[0]); },
           {Tensor<double>{{{1, 2}, {3, 4}}, {{5, 6}, {7, 9}}}}, {Tensor<double>{5, 14}});
}

void add_product_rows(Rows& rows) {
  const Tensor<double> x{{1, 2, 3}, {4, -5, 7}};
  rows.add("prod", "", [](const auto& v) { return prod(v[0]); },
           {Tensor<double>{{0.5, -1.2}, {2, 1.5}}}, {Tensor<double>(-1.8)})
      .edge(-3, -3, 1)
      .edge({Tensor<double>{2, 0, 5}}, Tensor<double>(0.0), {Tensor<double>{0, 10, 0}})
      .edge({Tensor<double>{2, 0, 0}}, Tensor<double>(0.0), {Tensor<double>{0, 0, 0}})
      .edge({Tensor<double>{1e-200, 1e200, 1e200}}, Tensor<double>(1e200), {})
      .edge({Tensor<double>{0, inf}}, Tensor<double>(nan), {})
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>(1.0), {});
  rows.add("prod", "axis 0", [](const auto& v) { return prod(v[0], {0}); }, {x},
           {Tensor<double>{4, -10, 21}})
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>{1, 1}, {})
      .reject({Tensor<double>(1.0)});
  rows.add("prod", "axis -1, keep_dims", [](const auto& v) { return prod(v[0], {-1}, true); },
           {Tensor<double>{{0.5, -1.2}, {2, 1.5}}}, {Tensor<double>{{-0.6}, {3}}});
  rows.add("prod", "one zero", [](const auto& v) { return prod(v[0]); },
           {Tensor<double>{1.5, 0, -2}}, {Tensor<double>(0.0)});
  rows.add("prod", "two zeros", [](const auto& v) { return prod(v[0]); },
           {Tensor<double>{1.5, 0, -2, 0, 0.5}}, {Tensor<double>(0.0)});
}

void add_variance_rows(Rows& rows) {
  const Tensor<double> x{{1, 2, 3}, {4, 6, 8}};
  // Deviations from the mean 4: squares 9 + 4 + 1 + 0 + 4 + 16 = 34.
  rows.add("variance", "", [](const auto& v) { return variance(v[0]); }, {x},
           {Tensor<double>(34.0 / 6)})
      .edge({Tensor<double>{3, 3}}, Tensor<double>(0.0), {Tensor<double>{0, 0}})
      .edge({Tensor<double>{1e8, 1e8 + 2}}, Tensor<double>(1.0), {Tensor<double>{-1, 1}})
      .edge({Tensor<double>{1, nan}}, Tensor<double>(nan), {})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(nan), {});
  rows.add("variance", "axis 1, ddof 1",
           [](const auto& v) { return variance(v[0], {1}, false, 1); }, {x}, {Tensor<double>{1, 4}})
      .edge({Tensor<double>{{5}}}, Tensor<double>{nan}, {})
      .reject({Tensor<double>{1, 2}});
  rows.add("standard_deviation", "", [](const auto& v) { return standard_deviation(v[0]); }, {x},
           {Tensor<double>(std::sqrt(34.0 / 6))})
      .edge({Tensor<double>{3, 3}}, Tensor<double>(0.0), {Tensor<double>{0, 0}})
      .edge({Tensor<double>{-1e300, 1e300}}, Tensor<double>(1e300), {Tensor<double>{-0.5, 0.5}})
      .edge({Tensor<double>{1, nan}}, Tensor<double>(nan), {});
  rows.add("standard_deviation", "axis 0, keep_dims, ddof 1",
           [](const auto& v) { return standard_deviation(v[0], {0}, true, 1); },
           {Tensor<double>{{1, 2}, {4, -5}, {7, 0}}}, {Tensor<double>{{3, std::sqrt(13)}}})
      .reject({Tensor<double>(1.0)});
}

}  // namespace

void add_reduce_rows(Rows& rows) {
  add_sum_rows(rows);
  add_product_rows(rows);
  add_variance_rows(rows);
}

}  // namespace fjord::test
