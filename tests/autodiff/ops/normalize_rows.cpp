#include <type_traits>

#include "fjord/autodiff/ops/normalize.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_normalize_rows(Rows& rows) {
  const Tensor<double> x{{0.5, -1.2, 2}, {1.5, 0.3, -0.7}};
  const Tensor<double> weight{1.5, -0.5, 2};
  const Tensor<double> bias{0.1, 0.2, -0.3};
  const auto layer = [](double eps) {
    return [eps](const auto& v) {
      using T = std::decay_t<decltype(v[0].item())>;
      return layer_norm(v[0], v[1], v[2], static_cast<T>(eps));
    };
  };
  const auto batch = [](double eps) {
    return [eps](const auto& v) {
      using T = std::decay_t<decltype(v[0].item())>;
      return batch_norm(v[0], v[1], v[2], static_cast<T>(eps));
    };
  };
  const Tensor<double> one{2};
  const Tensor<double> zero{3};
  rows.add("layer_norm", "", layer(0.25), {x, weight, bias},
           {Tensor<double>{{0.17144882623443114, 0.7834987475811876, 1.9387298886788422},
                           {1.7520520483989293, 0.23239317741958687, -2.373163354853558}}})
      .edge({Tensor<double>{{7}, {-4}}, one, zero}, Tensor<double>{{3}, {3}},
            {Tensor<double>{{0}, {0}}, Tensor<double>{0}, Tensor<double>{2}})
      .reject({x, weight, Tensor<double>{1, 2}})
      .reject({x, Tensor<double>(1.0), bias})
      .reject({Tensor<double>(1.0), one, zero});
  rows.add("batch_norm", "", batch(0.25), {x, weight, bias},
           {Tensor<double>{{-0.9606601717798212, 0.6160251471689219, 1.5754975214474072},
                           {1.1606601717798213, -0.21602514716892185, -2.175497521447407}}})
      .edge({Tensor<double>{{7}, {7}}, one, zero}, Tensor<double>{{3}, {3}},
            {Tensor<double>{{0}, {0}}, Tensor<double>{0}, Tensor<double>{2}})
      .reject({x, weight, Tensor<double>{1, 2}})
      .reject({Tensor<double>(1.0), one, zero});
}

}  // namespace fjord::test
