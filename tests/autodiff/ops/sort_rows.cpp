#include "fjord/autodiff/ops/sort.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// Places as a leaf of numbers, so that the table has them, too.
template <class T>
Var<T> numbers(const Var<T>& x, const TensorView<Index>& places) {
  return x.tape().input(Tensor<Index>(places).as<T>());
}

}  // namespace

void add_sort_rows(Rows& rows) {
  const Tensor<double> x{{3, -1, 2}, {-4, 5, 0.5}};
  const Tensor<double> none = Tensor<double>::zeros({2, 0});
  rows.add("sort", "axis 0", [](const auto& v) { return sort(v[0], 0); }, {x},
           {Tensor<double>{{-4, -1, 0.5}, {3, 5, 2}}})
      .reject({Tensor<double>(1.0)});
  rows.add("sort", "last axis", [](const auto& v) { return sort(v[0]); }, {x},
           {Tensor<double>{{-1, 2, 3}, {-4, 0.5, 5}}})
      .edge({Tensor<double>{nan, inf, -inf, nan, 0}}, Tensor<double>{-inf, 0, inf, nan, nan},
            {Tensor<double>{1, 1, 1, 1, 1}})
      .edge({none}, none, {none});
  rows.add("argsort", "axis 0", [](const auto& v) { return numbers(v[0], argsort(v[0], 0)); }, {x},
           {Tensor<double>{{1, 0, 1}, {0, 1, 0}}})
      .not_differentiable()
      .reject({Tensor<double>(1.0)});
  rows.add("argsort", "last axis", [](const auto& v) { return numbers(v[0], argsort(v[0])); }, {x},
           {Tensor<double>{{1, 2, 0}, {0, 2, 1}}})
      .not_differentiable()
      .edge({Tensor<double>{2, nan, 1, 2, nan, 1}}, Tensor<double>{2, 5, 0, 3, 1, 4}, {})
      .edge({none}, none, {});
  rows.add("median", "", [](const auto& v) { return median(v[0]); }, {x}, {Tensor<double>(1.25)})
      .edge(7, 7, 1)
      .edge({Tensor<double>{5, 1, 3}}, Tensor<double>(3.0), {Tensor<double>{0, 0, 1}})
      .edge({Tensor<double>{2, 2, 0, 2, 9}}, Tensor<double>(2.0), {Tensor<double>{0, 1, 0, 0, 0}})
      .edge({Tensor<double>{1.5e308, 1.5e308}}, Tensor<double>(1.5e308), {Tensor<double>{0.5, 0.5}})
      .edge({Tensor<double>{5e-324}}, Tensor<double>(5e-324), {Tensor<double>{1}})
      .edge({Tensor<double>{1, nan, 3}}, Tensor<double>(nan), {Tensor<double>{0, 1, 0}})
      .reject({Tensor<double>::zeros({0, 2})});
  rows.add("median", "axis 0, keep_dims", [](const auto& v) { return median(v[0], 0, true); }, {x},
           {Tensor<double>{{-0.5, 2, 1.25}}})
      .edge({none}, Tensor<double>::zeros({1, 0}), {})
      .reject({Tensor<double>(1.0)});
  rows.add("median", "axis -1", [](const auto& v) { return median(v[0], -1); }, {x},
           {Tensor<double>{2, 0.5}})
      .reject({none});
}

}  // namespace fjord::test
