#include <vector>

#include "fjord/autodiff/ops/join.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_join_rows(Rows& rows) {
  const Tensor<double> x{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> y{{7, 8, 9}, {-1, -2, -3}};
  const auto pile = [](Index axis) {
    return [axis](const auto& v) { return stack(std::span(v), axis); };
  };
  rows.add("stack", "axis 0", pile(0), {x, y},
           {Tensor<double>{{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {-1, -2, -3}}}})
      .edge({Tensor<double>(1.0), Tensor<double>(nan)}, Tensor<double>{1, nan},
            {Tensor<double>(1.0), Tensor<double>(1.0)})
      .reject({x, Tensor<double>{{1, 2, 3}}})
      .reject({});
  rows.add("stack", "axis -1", pile(-1), {x, y},
           {Tensor<double>{{{1, 7}, {2, 8}, {3, 9}}, {{4, -1}, {5, -2}, {6, -3}}}});
  rows.add("split", "axis 0", [](const auto& v) { return split(v[0], 2, 0); }, {x},
           {Tensor<double>{{1, 2, 3}}, Tensor<double>{{4, 5, 6}}})
      .reject({Tensor<double>{1, 2, 3}})
      .reject({Tensor<double>(1.0)});
  rows.add("split", "axis -1", [](const auto& v) { return split(v[0], 3, -1); }, {x},
           {Tensor<double>{{1}, {4}}, Tensor<double>{{2}, {5}}, Tensor<double>{{3}, {6}}});
  rows.add(
      "split", "middle axis, one part used", [](const auto& v) { return split(v[0], 2, 1)[1]; },
      {Tensor<double>{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}}, {Tensor<double>{{{3, 4}}, {{7, 8}}}});
  rows.add("split", "entry by entry", [](const auto& v) { return split(v[0], v[0].shape()[0], 0); },
           {Tensor<double>{1, 2}}, {Tensor<double>{1}, Tensor<double>{2}})
      .reject({Tensor<double>::zeros({0})})
      .reject({Tensor<double>::zeros({65536})});
  rows.add("split", "parts and the whole",
           [](const auto& v) {
             auto parts = split(v[0], 2, 0);
             parts.push_back(v[0]);
             return parts;
           },
           {x}, {Tensor<double>{{1, 2, 3}}, Tensor<double>{{4, 5, 6}}, x});
  rows.add("pad", "",
           [](const auto& v) {
             return pad(v[0], {{1, 0}, {0, 2}}, -1);
           },
           {x}, {Tensor<double>{{-1, -1, -1, -1, -1}, {1, 2, 3, -1, -1}, {4, 5, 6, -1, -1}}})
      .edge({Tensor<double>::zeros({0, 0})}, Tensor<double>{{-1, -1}}, {})
      .reject({Tensor<double>{1, 2}});
  rows.add("pad", "widths of a vector",
           [](const auto& v) {
             return pad(v[0], std::vector<PadWidths>{{0, 1}});
           },
           {Tensor<double>{1, 2}}, {Tensor<double>{1, 2, 0}});
  rows.add("pad", "none", [](const auto& v) { return pad(v[0], {}); }, {Tensor<double>(2.0)},
           {Tensor<double>(2.0)});
}

}  // namespace fjord::test
