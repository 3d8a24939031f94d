#include <vector>

#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

const Tensor<double> matrix{{1, 2, 3}, {4, 5, 6}};

void add_reshape_rows(Rows& rows) {
  rows.add("reshape", "",
           [](const auto& v) {
             return reshape(v[0], {3, 2});
           },
           {matrix}, {Tensor<double>{{1, 2}, {3, 4}, {5, 6}}})
      .reject({Tensor<double>{1, 2}});
  rows.add("reshape", "axes of size 1",
           [](const auto& v) {
             return reshape(v[0], {2, 1, 3});
           },
           {matrix}, {Tensor<double>{{{1, 2, 3}}, {{4, 5, 6}}}});
  rows.add("reshape", "-1",
           [](const auto& v) {
             return reshape(v[0], {-1, 2});
           },
           {matrix}, {Tensor<double>{{1, 2}, {3, 4}, {5, 6}}})
      .edge({Tensor<double>::zeros({0, 3})}, Tensor<double>::zeros({0, 2}), {})
      .reject({Tensor<double>{1, 2, 3}});
  rows.add("reshape", "sizes of a vector",
           [](const auto& v) {
             // Two sizes are open if there are two axes.
             return reshape(v[0], std::vector<Index>(v[0].shape().rank(), -1));
           },
           {Tensor<double>{1, 2}}, {Tensor<double>{1, 2}})
      .reject({matrix});
  rows.add("reshape", "-1 and 0",
           [](const auto& v) {
             return reshape(v[0], {v[0].shape()[0], -1});
           },
           {matrix}, {matrix})
      .reject({Tensor<double>::zeros({0, 3})});
}

void add_index_and_slice_rows(Rows& rows) {
  rows.add("index", "x[1]", [](const auto& v) { return v[0][1]; }, {matrix},
           {Tensor<double>{4, 5, 6}})
      .edge({Tensor<double>{nan, 2}}, Tensor<double>(2.0), {Tensor<double>{0, 1}})
      .reject({Tensor<double>{{1, 2, 3}}})
      .reject({Tensor<double>(1.0)});
  rows.add("index", "x[-2][2]", [](const auto& v) { return v[0][-2][2]; }, {matrix},
           {Tensor<double>(3.0)})
      .reject({Tensor<double>{{1, 2, 3}}});
  rows.add("slice", "axis 0", [](const auto& v) { return slice(v[0], 0, 1, 2); }, {matrix},
           {Tensor<double>{{4, 5, 6}}})
      .reject({Tensor<double>{{1, 2}}});
  rows.add("slice", "axis -1", [](const auto& v) { return slice(v[0], -1, 1, 3); }, {matrix},
           {Tensor<double>{{2, 3}, {5, 6}}});
  rows.add("slice", "from the end", [](const auto& v) { return slice(v[0], 1, -2, {}); }, {matrix},
           {Tensor<double>{{2, 3}, {5, 6}}})
      .reject({Tensor<double>{{1}}});
  rows.add("slice", "to the end", [](const auto& v) { return slice(v[0], 1, {}, -1); }, {matrix},
           {Tensor<double>{{1, 2}, {4, 5}}})
      .reject({Tensor<double>::zeros({1, 0})});
}

void add_concatenate_rows(Rows& rows) {
  const auto join = [](Index axis) {
    return [axis](const auto& v) { return concatenate(std::span(v), axis); };
  };
  rows.add("concatenate", "axis 0", join(0), {matrix, Tensor<double>{{7, 8, 9}}},
           {Tensor<double>{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}})
      .reject({matrix, Tensor<double>{{7, 8}}});
  rows.add("concatenate", "axis 1", join(1), {matrix, Tensor<double>{{7}, {8}}},
           {Tensor<double>{{1, 2, 3, 7}, {4, 5, 6, 8}}});
}

}  // namespace

void add_shape_rows(Rows& rows) {
  add_reshape_rows(rows);
  add_index_and_slice_rows(rows);
  add_concatenate_rows(rows);
}

}  // namespace fjord::test
