#include <limits>
#include <vector>

#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

using Places = Tensor<Index>;

const Tensor<double> matrix{{1, 2, 3}, {4, 5, 6}};
const Tensor<double> list{1, 2, 3, 4, 5};

void add_slice_rows(Rows& rows) {
  rows.add("slice", "step 2", [](const auto& v) { return slice(v[0], 0, 0, 5, 2); }, {list},
           {Tensor<double>{1, 3, 5}})
      .edge({Tensor<double>{0, nan, inf, nan, 7}}, Tensor<double>{0, inf, 7},
            {Tensor<double>{1, 0, 1, 0, 1}})
      .reject({Tensor<double>{1, 2}});
  rows.add("slice", "step -2", [](const auto& v) { return slice(v[0], 0, 3, {}, -2); }, {list},
           {Tensor<double>{4, 2}})
      .reject({Tensor<double>{1, 2, 3}});
  rows.add("slice", "all, step -1", [](const auto& v) { return slice(v[0], 0, {}, {}, -1); },
           {list}, {Tensor<double>{5, 4, 3, 2, 1}})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>::zeros({0}), {});
  rows.add("slice", "from the end, step -2",
           [](const auto& v) { return slice(v[0], 0, -1, -5, -2); }, {list}, {Tensor<double>{5, 3}})
      .reject({Tensor<double>{1, 2}});
  rows.add("slice", "step near the largest number",
           [](const auto& v) {
             constexpr Index far = std::numeric_limits<Index>::max();
             return concatenate({slice(v[0], 0, 1, 5, far), slice(v[0], 0, 3, {}, -far - 1)}, 0);
           },
           {list}, {Tensor<double>{2, 4}});
  // -1 is the last entry, as in numpy, and not the place before the first.
  rows.add("slice", "end -1, step -1", [](const auto& v) { return slice(v[0], 0, 3, -1, -1); },
           {Tensor<double>{1, 2, 3, 4}}, {Tensor<double>::zeros({0})})
      .reject({list});
  rows.add("slice", "axis 1, step -1", [](const auto& v) { return slice(v[0], -1, 2, 0, -1); },
           {matrix}, {Tensor<double>{{3, 2}, {6, 5}}});
  rows.add("slice", "step 1", [](const auto& v) { return slice(v[0], 0, 1, 3, 1); }, {list},
           {Tensor<double>{2, 3}});
  rows.add("slice", "nothing; step 0 is refused",
           [](const auto& v) { return slice(v[0], 0, 1, 1, v[0].shape()[0]); }, {list},
           {Tensor<double>::zeros({0})})
      .reject({Tensor<double>::zeros({0})});
}

void add_take_rows(Rows& rows) {
  rows.add("take", "axis 0",
           [](const auto& v) {
             return take(v[0], Places{1, 0, -1, 1}, 0);
           },
           {matrix}, {Tensor<double>{{4, 5, 6}, {1, 2, 3}, {4, 5, 6}, {4, 5, 6}}})
      .edge({Tensor<double>{{nan}, {2}}}, Tensor<double>{{2}, {nan}, {2}, {2}},
            {Tensor<double>{{1}, {3}}})
      .reject({Tensor<double>{{1, 2, 3}}})
      .reject({Tensor<double>::zeros({0, 3})})
      .reject({Tensor<double>(1.0)});
  rows.add("take", "axis -1",
           [](const auto& v) {
             return take(v[0], Places{2, 2, 0}, -1);
           },
           {matrix}, {Tensor<double>{{3, 3, 1}, {6, 6, 4}}});
  rows.add("take", "matrix of indices",
           [](const auto& v) {
             return take(v[0], Places{{0, 1, 1}, {2, 0, -2}}, 1);
           },
           {matrix}, {Tensor<double>{{{1, 2, 2}, {3, 1, 2}}, {{4, 5, 5}, {6, 4, 5}}}});
  rows.add("take", "matrix of indices in the order C",
           [](const auto& v) {
             const std::array<Index, 6> places{0, 1, 1, 2, 0, -2};
             return take(v[0], TensorView<Index>(places.data(), {2, 3}), 1);
           },
           {matrix}, {Tensor<double>{{{1, 2, 2}, {3, 1, 2}}, {{4, 5, 5}, {6, 4, 5}}}});
  rows.add("take", "one index", [](const auto& v) { return take(v[0], Places(1), 0); }, {matrix},
           {Tensor<double>{4, 5, 6}});
  rows.add("take", "no index", [](const auto& v) { return take(v[0], Places::zeros({0}), 1); },
           {matrix}, {Tensor<double>::zeros({2, 0})});
}

void add_gather_rows(Rows& rows) {
  const auto read = [](const Places& places, Index axis) {
    return [places, axis](const auto& v) { return gather(v[0], places, axis); };
  };
  rows.add("gather", "axis 0", read({{1, 0, -1}, {1, 1, 0}, {0, 0, 0}}, 0), {matrix},
           {Tensor<double>{{4, 2, 6}, {4, 5, 3}, {1, 2, 3}}})
      .reject({Tensor<double>{{1, 2, 3}}})
      .reject({Tensor<double>{{1, 2}, {3, 4}}})
      .reject({Tensor<double>{1, 2, 3}});
  rows.add("gather", "axis -1", read({{2}, {0}}, -1), {matrix}, {Tensor<double>{{3}, {4}}})
      .edge({Tensor<double>{{nan, inf, 3}, {4, nan, nan}}}, Tensor<double>{{3}, {4}},
            {Tensor<double>{{0, 0, 1}, {1, 0, 0}}});
  rows.add("gather", "middle axis", read({{{1, 0}}, {{0, 0}}}, 1),
           {Tensor<double>{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}},
           {Tensor<double>{{{3, 2}}, {{5, 6}}}});
  const auto add = [](const Places& places, Index axis) {
    return [places, axis](const auto& v) { return scatter_add(v[0], places, v[1], axis); };
  };
  rows.add("scatter_add", "axis 0", add({{1, 0, 1}, {1, 1, -2}}, 0),
           {matrix, Tensor<double>{{10, 20, 30}, {40, 50, 60}}},
           {Tensor<double>{{1, 22, 63}, {54, 55, 36}}})
      .reject({matrix, Tensor<double>{{1, 2, 3}}})
      .reject({Tensor<double>{{1, 2, 3}}, Tensor<double>{{1, 2, 3}, {4, 5, 6}}});
  rows.add("scatter_add", "axis 1", add({{1}, {2}}, 1), {matrix, Tensor<double>{{10}, {20}}},
           {Tensor<double>{{1, 12, 3}, {4, 5, 26}}});
}

void add_order_rows(Rows& rows) {
  rows.add("flip", "axis 0", [](const auto& v) { return flip(v[0], 0); }, {matrix},
           {Tensor<double>{{4, 5, 6}, {1, 2, 3}}})
      .edge({Tensor<double>::zeros({0, 2})}, Tensor<double>::zeros({0, 2}), {})
      .reject({Tensor<double>(1.0)});
  rows.add("flip", "axis -1", [](const auto& v) { return flip(v[0], -1); }, {matrix},
           {Tensor<double>{{3, 2, 1}, {6, 5, 4}}});
  rows.add("roll", "1", [](const auto& v) { return roll(v[0], 1, 1); }, {matrix},
           {Tensor<double>{{3, 1, 2}, {6, 4, 5}}})
      .edge({Tensor<double>::zeros({2, 0})}, Tensor<double>::zeros({2, 0}), {})
      .reject({Tensor<double>{1, 2}});
  rows.add("roll", "-7", [](const auto& v) { return roll(v[0], -7, 0); }, {list},
           {Tensor<double>{3, 4, 5, 1, 2}});
  rows.add("repeat", "axis 0", [](const auto& v) { return repeat(v[0], 2, 0); }, {matrix},
           {Tensor<double>{{1, 2, 3}, {1, 2, 3}, {4, 5, 6}, {4, 5, 6}}})
      .reject({Tensor<double>(1.0)});
  rows.add("repeat", "axis -1, not at all", [](const auto& v) { return repeat(v[0], 0, -1); },
           {matrix}, {Tensor<double>::zeros({2, 0})});
  rows.add("tile", "",
           [](const auto& v) {
             return tile(v[0], {2, 2});
           },
           {Tensor<double>{{1, 2}, {3, 4}}},
           {Tensor<double>{{1, 2, 1, 2}, {3, 4, 3, 4}, {1, 2, 1, 2}, {3, 4, 3, 4}}})
      .edge({Tensor<double>(3.0)}, Tensor<double>{{3, 3}, {3, 3}}, {Tensor<double>(4.0)});
  rows.add("tile", "counts of a vector",
           [](const auto& v) {
             return tile(v[0], std::vector<Index>{2, 1});
           },
           {Tensor<double>{1, 2}}, {Tensor<double>{{1, 2}, {1, 2}}});
  rows.add("tile", "fewer counts than axes", [](const auto& v) { return tile(v[0], {2}); },
           {matrix}, {Tensor<double>{{1, 2, 3, 1, 2, 3}, {4, 5, 6, 4, 5, 6}}});
  rows.add("tile", "more counts than axes",
           [](const auto& v) {
             return tile(v[0], {2, 1});
           },
           {Tensor<double>{1, 2}}, {Tensor<double>{{1, 2}, {1, 2}}});
}

}  // namespace

void add_index_rows(Rows& rows) {
  add_slice_rows(rows);
  add_take_rows(rows);
  add_gather_rows(rows);
  add_order_rows(rows);
}

}  // namespace fjord::test
