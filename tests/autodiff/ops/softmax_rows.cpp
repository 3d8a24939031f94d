#include <cmath>

#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// Rows of a matrix by the plain formula.
Tensor<double> weights_of_rows(const Tensor<double>& x) {
  Tensor<double> result = x;
  for (Index i = 0; i < x.shape()[0]; ++i) {
    double total = 0;
    for (Index j = 0; j < x.shape()[1]; ++j) total += std::exp(x(i, j));
    for (Index j = 0; j < x.shape()[1]; ++j) result(i, j) = std::exp(x(i, j)) / total;
  }
  return result;
}

void add_logsumexp_rows(Rows& rows) {
  const Tensor<double> x{{0.3, -1.2, 0.9}, {1.4, 0.2, -0.7}};
  const auto lse = [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); };
  rows.add("logsumexp", "", [](const auto& v) { return logsumexp(v[0]); }, {x},
           {Tensor<double>(lse(lse(lse(0.3, -1.2), lse(0.9, 1.4)), lse(0.2, -0.7)))})
      .edge(2, 2, 1)
      .edge({Tensor<double>{1e4, 1e4}}, Tensor<double>(1e4 + std::log(2)),
            {Tensor<double>{0.5, 0.5}})
      .edge({Tensor<double>{1e300, 1e300, 0}}, Tensor<double>(1e300), {Tensor<double>{0.5, 0.5, 0}})
      .edge({Tensor<double>{-1e300, -1e300}}, Tensor<double>(-1e300), {Tensor<double>{0.5, 0.5}})
      .edge({Tensor<double>{-inf, 0, 0, -inf}}, Tensor<double>(std::log(2)),
            {Tensor<double>{0, 0.5, 0.5, 0}})
      .edge({Tensor<double>{-inf, -inf}}, Tensor<double>(-inf), {Tensor<double>{0, 0}})
      .edge({Tensor<double>{inf, 0, inf}}, Tensor<double>(inf), {Tensor<double>{0.5, 0, 0.5}})
      .edge({Tensor<double>{nan, 0}}, Tensor<double>(nan), {Tensor<double>{nan, nan}})
      .edge({Tensor<double>::zeros({0})}, Tensor<double>(-inf), {});
  rows.add("logsumexp", "axis 0", [](const auto& v) { return logsumexp(v[0], {0}); }, {x},
           {Tensor<double>{lse(0.3, 1.4), lse(-1.2, 0.2), lse(0.9, -0.7)}})
      .edge({Tensor<double>{{-inf, 1e4, nan, -inf}, {-inf, 1e4, 0, 3}}},
            Tensor<double>{-inf, 1e4 + std::log(2), nan, 3},
            {Tensor<double>{{0, 0.5, nan, 0}, {0, 0.5, nan, 1}}})
      .reject({Tensor<double>(1.0)});
  rows.add("logsumexp", "axis -1, keep_dims",
           [](const auto& v) { return logsumexp(v[0], {-1}, true); }, {x},
           {Tensor<double>{{lse(lse(0.3, -1.2), 0.9)}, {lse(lse(1.4, 0.2), -0.7)}}})
      .edge({Tensor<double>{{-inf, -inf}, {1e4, 1e4}, {nan, 0}, {-inf, 3}}},
            Tensor<double>{{-inf}, {1e4 + std::log(2)}, {nan}, {3}},
            {Tensor<double>{{0, 0}, {0.5, 0.5}, {nan, nan}, {0, 1}}});
}

void add_weight_rows(Rows& rows) {
  const Tensor<double> x{{0.3, -1.2, 0.9}, {1.4, 0.2, -0.7}};
  const Tensor<double> p = weights_of_rows(x);
  Tensor<double> log_p = p;
  for (double& entry : log_p.storage()) entry = std::log(entry);
  const auto first = [](const auto& y) { return slice(y, 0, 0, 1); };
  rows.add("softmax", "", [](const auto& v) { return softmax(v[0]); }, {x}, {p})
      .edge({Tensor<double>{-inf, -inf}}, Tensor<double>{0, 0}, {Tensor<double>{0, 0}})
      .edge({Tensor<double>{inf, 0, inf}}, Tensor<double>{0.5, 0, 0.5}, {})
      .edge({Tensor<double>{nan, 0}}, Tensor<double>{nan, nan}, {})
      .edge({Tensor<double>::zeros({2, 0})}, Tensor<double>::zeros({2, 0}), {})
      .reject({Tensor<double>(1.0)});
  rows.add("softmax", "first weight, axis 0",
           [first](const auto& v) { return first(softmax(v[0], 0)); },
           {Tensor<double>{0, std::log(3)}}, {Tensor<double>{0.25}})
      .edge({Tensor<double>{-inf, 1e300, 1e300}}, Tensor<double>{0}, {Tensor<double>{0, 0, 0}})
      .edge({Tensor<double>{1e300, -inf, 1e300}}, Tensor<double>{0.5},
            {Tensor<double>{0.25, 0, -0.25}});
  rows.add("log_softmax", "", [](const auto& v) { return log_softmax(v[0]); }, {x}, {log_p})
      .edge({Tensor<double>{-inf, -inf}}, Tensor<double>{-inf, -inf}, {})
      .edge({Tensor<double>{nan, 0}}, Tensor<double>{nan, nan}, {})
      .reject({Tensor<double>(1.0)});
  rows.add("log_softmax", "first weight, axis 0",
           [first](const auto& v) { return first(log_softmax(v[0], 0)); },
           {Tensor<double>{0, std::log(3)}}, {Tensor<double>{std::log(0.25)}})
      .edge({Tensor<double>{-1000, 0}}, Tensor<double>{-1000}, {Tensor<double>{1, -1}})
      .edge({Tensor<double>{1e300, 1e300}}, Tensor<double>{-std::log(2)},
            {Tensor<double>{0.5, -0.5}})
      .edge({Tensor<double>{0, -inf}}, Tensor<double>{0}, {Tensor<double>{0, 0}});
}

}  // namespace

void add_softmax_rows(Rows& rows) {
  add_logsumexp_rows(rows);
  add_weight_rows(rows);
}

}  // namespace fjord::test
