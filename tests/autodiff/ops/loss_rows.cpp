#include <cmath>

#include "fjord/autodiff/ops/loss.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_loss_rows(Rows& rows) {
  const Tensor<double> a{{1, 2}, {-3, 0.5}};
  const Tensor<double> b{{0, 4}, {-2.5, 0.25}};
  // Differences 1, -2, -0.5 and 0.25.
  rows.add("mean_squared_error", "", [](const auto& v) { return mean_squared_error(v[0], v[1]); },
           {a, b}, {Tensor<double>((1 + 4 + 0.25 + 0.0625) / 4)})
      .edge({Tensor<double>::zeros({0}), Tensor<double>::zeros({0})}, Tensor<double>(nan), {})
      .reject({a, Tensor<double>{1, 2}});
  rows.add("huber", "delta 0.75", [](const auto& v) { return huber(v[0], v[1], 0.75); }, {a, b},
           {Tensor<double>((0.75 * 0.625 + 0.75 * 1.625 + 0.125 + 0.03125) / 4)})
      .edge({Tensor<double>(0.75), Tensor<double>(0.0)}, Tensor<double>(0.28125),
            {Tensor<double>(0.75), Tensor<double>(-0.75)})
      .edge({Tensor<double>(1.0), Tensor<double>(inf)}, Tensor<double>(inf),
            {Tensor<double>(-0.75), Tensor<double>(0.75)})
      .edge({Tensor<double>(nan), Tensor<double>(0.0)}, Tensor<double>(nan), {})
      .reject({a, Tensor<double>{1, 2}});
  rows.add("huber", "delta 1", [](const auto& v) { return huber(v[0], v[1]); },
           {Tensor<double>{0.4, 3}, Tensor<double>{0, 0.5}}, {Tensor<double>((0.08 + 2) / 2)});
  const auto entropy = [](const Tensor<Index>& targets) {
    return [targets](const auto& v) { return cross_entropy(v[0], targets); };
  };
  rows.add("cross_entropy", "", entropy({2, 0}), {Tensor<double>{{0.5, -1.2, 2}, {1.5, 0.3, -0.7}}},
           {Tensor<double>(0.2896007068966562)})
      .edge({Tensor<double>{{-1000, 1000, 0}, {0, -inf, -inf}}}, Tensor<double>(500.0),
            {Tensor<double>{{0, 0.5, -0.5}, {0, 0, 0}}})
      .reject({Tensor<double>{{1, 2}, {3, 4}}})
      .reject({Tensor<double>{{1, 2, 3}}})
      .reject({Tensor<double>(1.0)});
  rows.add("cross_entropy", "one sample", entropy(Tensor<Index>(1)),
           {Tensor<double>{0, std::log(3)}}, {Tensor<double>(-std::log(0.75))});
}

}  // namespace fjord::test
