#include "fjord/autodiff/ops/extreme.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// Places as a leaf of numbers, so that the table has them, too.
template <class T>
Var<T> numbers(const Var<T>& x, const TensorView<Index>& places) {
  return x.tape().input(Tensor<Index>(places).as<T>());
}

void add_value_rows(Rows& rows) {
  const Tensor<double> x{{1, -2, 3}, {4, -5, 2.5}};
  rows.add("max", "", [](const auto& v) { return max(v[0]); }, {x}, {Tensor<double>(4.0)})
      .edge(7, 7, 1)
      .edge(-inf, -inf, 1)
      .edge({Tensor<double>{2, 5, 5, 1}}, Tensor<double>(5.0), {Tensor<double>{0, 0.5, 0.5, 0}})
      .edge({Tensor<double>{0, -0.0}}, Tensor<double>(0.0), {Tensor<double>{0.5, 0.5}})
      .edge({Tensor<double>{-inf, -inf}}, Tensor<double>(-inf), {Tensor<double>{0.5, 0.5}})
      .edge({Tensor<double>{inf, 1}}, Tensor<double>(inf), {Tensor<double>{1, 0}})
      .edge({Tensor<double>{1, nan, 5}}, Tensor<double>(nan), {Tensor<double>{0, 1, 0}})
      .edge({Tensor<double>{nan, 1}}, Tensor<double>(nan), {Tensor<double>{1, 0}})
      .reject({Tensor<double>::zeros({0, 2})});
  rows.add("max", "axis 0", [](const auto& v) { return max(v[0], {0}); }, {x},
           {Tensor<double>{4, -2, 3}})
      .edge({Tensor<double>{{1, nan, 3}, {1, 2, 2}, {1, 2, 3}}}, Tensor<double>{1, nan, 3},
            {Tensor<double>{{1.0 / 3, 1, 0.5}, {1.0 / 3, 0, 0}, {1.0 / 3, 0, 0.5}}})
      .edge({Tensor<double>::zeros({2, 0})}, Tensor<double>::zeros({0}), {})
      .reject({Tensor<double>::zeros({0, 2})});
  rows.add("max", "axes 0 and -1, keep_dims",
           [](const auto& v) {
             return max(v[0], {0, -1}, true);
           },
           {Tensor<double>{{{1, 2}, {3, 4}}, {{0, 9}, {-1, -8}}}}, {Tensor<double>{{{9}, {4}}}})
      .reject({Tensor<double>{1, 2}});
  rows.add("min", "", [](const auto& v) { return min(v[0]); }, {x}, {Tensor<double>(-5.0)})
      .edge({Tensor<double>{2, 1, 1, 1}}, Tensor<double>(1.0),
            {Tensor<double>{0, 1.0 / 3, 1.0 / 3, 1.0 / 3}})
      .edge({Tensor<double>{inf, inf}}, Tensor<double>(inf), {Tensor<double>{0.5, 0.5}})
      .edge({Tensor<double>{1, nan}}, Tensor<double>(nan), {Tensor<double>{0, 1}})
      .reject({Tensor<double>::zeros({0})});
  rows.add("min", "axis 1, keep_dims", [](const auto& v) { return min(v[0], {1}, true); }, {x},
           {Tensor<double>{{-2}, {-5}}})
      .edge({Tensor<double>{{1, nan}, {2, 2}}}, Tensor<double>{{nan}, {2}},
            {Tensor<double>{{0, 1}, {0.5, 0.5}}});
}

void add_place_rows(Rows& rows) {
  const Tensor<double> x{{1, -2, 3}, {4, -5, 2.5}};
  rows.add("argmax", "axis 0", [](const auto& v) { return numbers(v[0], argmax(v[0], 0)); }, {x},
           {Tensor<double>{1, 0, 0}})
      .not_differentiable()
      .edge({Tensor<double>{{1, nan, 1, inf}, {1, 2, nan, 0}, {0, 3, nan, inf}}},
            Tensor<double>{0, 0, 1, 0}, {})
      .edge({Tensor<double>::zeros({2, 0})}, Tensor<double>::zeros({0}), {})
      .reject({Tensor<double>::zeros({0, 2})});
  rows.add("argmax", "axis -1", [](const auto& v) { return numbers(v[0], argmax(v[0], -1)); }, {x},
           {Tensor<double>{2, 0}})
      .not_differentiable()
      .edge({Tensor<double>{3, 5, 5}}, Tensor<double>(1.0), {})
      .reject({Tensor<double>(1.0)});
  rows.add("argmin", "axis 0", [](const auto& v) { return numbers(v[0], argmin(v[0], 0)); }, {x},
           {Tensor<double>{0, 1, 1}})
      .not_differentiable()
      .edge({Tensor<double>{{1, nan, 1}, {0, 2, nan}, {0, 3, nan}}}, Tensor<double>{1, 0, 1}, {});
  rows.add("argmin", "middle axis", [](const auto& v) { return numbers(v[0], argmin(v[0], 1)); },
           {Tensor<double>{{{1, 2}, {3, 0}}, {{0, 9}, {-1, -8}}}}, {Tensor<double>{{0, 1}, {1, 1}}})
      .not_differentiable();
}

}  // namespace

void add_extreme_rows(Rows& rows) {
  add_value_rows(rows);
  add_place_rows(rows);
}

}  // namespace fjord::test
