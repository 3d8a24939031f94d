#include <vector>

#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const Tensor<double> matrix{{1, 2, 3}, {4, 5, 6}};

}  // namespace

void add_transpose_rows(Rows& rows) {
  rows.add("swap_axes", "", [](const auto& v) { return swap_axes(v[0], 0, 1); }, {matrix},
           {Tensor<double>{{1, 4}, {2, 5}, {3, 6}}})
      .reject({Tensor<double>{1, 2}});
  rows.add("transpose", "all axes", [](const auto& v) { return transpose(v[0]); },
           {Tensor<double>{{{1, 2, 3}, {4, 5, 6}}}},
           {Tensor<double>{{{1}, {4}}, {{2}, {5}}, {{3}, {6}}}})
      .edge(3, 3, 1)
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>::zeros({2, 0}), {});
  // Twice, so that its cotangent meets another in the reverse sweep.
  rows.add("transpose", "axes 2, 0, -2",
           [](const auto& v) {
             return concatenate({transpose(v[0], {2, 0, -2}), transpose(v[0], {2, 0, 1})}, 0);
           },
           {Tensor<double>{{{1, 2, 3}, {4, 5, 6}}}},
           {Tensor<double>{{{1, 4}}, {{2, 5}}, {{3, 6}}, {{1, 4}}, {{2, 5}}, {{3, 6}}}})
      .reject({Tensor<double>{{1, 2}}})
      .reject({Tensor<double>::zeros({1, 1, 1, 1})});
  rows.add("transpose", "axes of a vector",
           [](const auto& v) {
             return transpose(v[0], std::vector<Index>{1, 0});
           },
           {matrix}, {Tensor<double>{{1, 4}, {2, 5}, {3, 6}}});
}

}  // namespace fjord::test
