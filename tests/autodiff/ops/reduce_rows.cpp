#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_reduce_rows(Rows& rows) {
  const Tensor<double> x{{1, 2, 3}, {4, 5, 7}};
  rows.add("sum", "all", [](const auto& v) { return sum(v[0]); }, {x}, {Tensor<double>(22.0)})
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>(0.0), {});
  rows.add("sum", "axis 0", [](const auto& v) { return sum(v[0], {0}); }, {x},
           {Tensor<double>{5, 7, 10}})
      .reject({Tensor<double>(1.0)});
  rows.add("sum", "axis -1, keep_dims", [](const auto& v) { return sum(v[0], {-1}, true); }, {x},
           {Tensor<double>{{6}, {16}}});
  rows.add("mean", "", [](const auto& v) { return mean(v[0]); }, {x}, {Tensor<double>(22.0 / 6)})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(nan), {});
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

}  // namespace fjord::test
