#include <cmath>

#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// f(sum over p of x(i, p) w(j, p) + b(j)), by loops.
Tensor<double> affine_of(const Tensor<double>& x, const Tensor<double>& w, const Tensor<double>& b,
                         double (*f)(double)) {
  const Index rows = x.shape()[0];
  const Index out = w.shape()[0];
  Tensor<double> result = Tensor<double>::zeros({rows, out});
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < out; ++j) {
      double z = b(j);
      for (Index p = 0; p < w.shape()[1]; ++p) z += x(i, p) * w(j, p);
      result(i, j) = f(z);
    }
  }
  return result;
}

}  // namespace

void add_layer_rows(Rows& rows) {
  const Tensor<double> x = sample({5, 3}, 1);
  const Tensor<double> w = sample({4, 3}, 2);
  const Tensor<double> b = sample({4}, 3);
  const Tensors mismatch{sample({5, 2}, 1), w, b};
  rows.add("affine", "", [](const auto& v) { return affine(v[0], v[1], v[2]); }, {x, w, b},
           {affine_of(x, w, b, [](double z) { return z; })})
      .reject(mismatch)
      .reject({x, w, sample({3}, 3)});
  rows.add("tanh_affine", "", [](const auto& v) { return tanh_affine(v[0], v[1], v[2]); },
           {x, w, b}, {affine_of(x, w, b, [](double z) { return std::tanh(z); })})
      .reject(mismatch);

  const Tensor<double> t = sample({5, 2, 3}, 4);
  const Tensor<double> s = sample({5, 4}, 5);
  Tensor<double> expected = Tensor<double>::zeros({5, 2, 4});
  for (Index i = 0; i < 5; ++i) {
    for (Index k = 0; k < 2; ++k) {
      for (Index j = 0; j < 4; ++j) {
        for (Index p = 0; p < 3; ++p) expected(i, k, j) += t(i, k, p) * w(j, p) * s(i, j);
      }
    }
  }
  const auto f = [](const auto& v) { return scaled_product(v[0], v[1], v[2]); };
  rows.add("scaled_product", "two tangents", f, {t, w, s}, {expected})
      .edge({Tensor<double>{{-0.0}}, Tensor<double>{{1.0}}, Tensor<double>{{inf}}},
            Tensor<double>{{0.0}}, {})
      .edge({Tensor<double>{{0.0}}, Tensor<double>{{1.0}}, Tensor<double>{{inf}}},
            Tensor<double>{{nan}}, {})
      // A product of so few digits says nothing of its factors.
      .edge({Tensor<double>{{1e-310}}, Tensor<double>{{1.0}}, Tensor<double>{{1e-10}}},
            Tensor<double>{{1e-320}},
            {Tensor<double>{{1e-10}}, Tensor<double>{{1e-320}}, Tensor<double>{{1e-310}}})
      .reject({t, w, sample({4, 4}, 5)});
  rows.add("scaled_product", "one tangent", f, {x, w, s}, {[&] {
             const Tensor<double> zero = Tensor<double>::zeros({4});
             Tensor<double> y = affine_of(x, w, zero, [](double z) { return z; });
             for (std::size_t i = 0; i < y.storage().size(); ++i) y.storage()[i] *= s.storage()[i];
             return y;
           }()})
      .with_least(1);
}

}  // namespace fjord::test
