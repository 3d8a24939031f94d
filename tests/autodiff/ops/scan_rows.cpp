#include <cmath>

#include "fjord/autodiff/ops/scan.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_scan_rows(Rows& rows) {
  const Tensor<double> x{{0.5, -1.2, 2}, {1.5, 0.3, -0.7}};
  const Tensor<double> scalar(1.0);
  const Tensor<double> none = Tensor<double>::zeros({2, 0});
  rows.add("cumsum", "axis 0", [](const auto& v) { return cumsum(v[0], 0); }, {x},
           {Tensor<double>{{0.5, -1.2, 2}, {2, -0.9, 1.3}}})
      .reject({scalar});
  rows.add("cumsum", "axis -1", [](const auto& v) { return cumsum(v[0], -1); }, {x},
           {Tensor<double>{{0.5, -0.7, 1.3}, {1.5, 1.8, 1.1}}})
      .edge({Tensor<double>{{1, inf, 2, -inf, 3}}}, Tensor<double>{{1, inf, inf, nan, nan}},
            {Tensor<double>{{5, 4, 3, 2, 1}}})
      .edge({none}, none, {});

  rows.add("cumprod", "axis 0", [](const auto& v) { return cumprod(v[0], 0); }, {x},
           {Tensor<double>{{0.5, -1.2, 2}, {0.75, -0.36, -1.4}}})
      .reject({scalar});
  // Gradients of y1 + y2 + y3 with y = (a, a b, a b c): (1 + b + b c, a + a c, a b).
  rows.add("cumprod", "axis -1", [](const auto& v) { return cumprod(v[0], -1); }, {x},
           {Tensor<double>{{0.5, -0.6, -1.2}, {1.5, 0.45, -0.315}}})
      .edge({Tensor<double>{0, 3, 5}}, Tensor<double>{0, 0, 0}, {Tensor<double>{19, 0, 0}})
      .edge({Tensor<double>{2, 0, 5}}, Tensor<double>{2, 0, 0}, {Tensor<double>{1, 12, 0}})
      .edge({Tensor<double>{0, 0, 5}}, Tensor<double>{0, 0, 0}, {Tensor<double>{1, 0, 0}})
      .edge({Tensor<double>{1e-200, 1e200, 1e200}}, Tensor<double>{1e-200, 1, 1e200}, {})
      .edge({Tensor<double>{0, inf}}, Tensor<double>{0, nan}, {})
      .edge({Tensor<double>{2, nan}}, Tensor<double>{2, nan}, {})
      .edge({none}, none, {});
  rows.add("cumprod", "zeros", [](const auto& v) { return cumprod(v[0], 0); },
           {Tensor<double>{1.5, 0, -2, 0, 3}}, {Tensor<double>{1.5, 0, 0, 0, 0}});

  rows.add("logcumsumexp", "axis 0", [](const auto& v) { return logcumsumexp(v[0], 0); }, {x},
           {Tensor<double>{{0.5, -1.2, 2},
                           {1.8132616875182228, 0.5014132779827525, 2.0650435617765908}}})
      .reject({scalar});
  const double two = std::log(2);
  rows.add("logcumsumexp", "axis -1", [](const auto& v) { return logcumsumexp(v[0], -1); }, {x},
           {Tensor<double>{{0.5, 0.667786029386266, 2.234196137135798},
                           {1.5, 1.7632824673380312, 1.8450052766575142}}})
      .edge({Tensor<double>{-inf, -inf, 0, 0}}, Tensor<double>{-inf, -inf, 0, two},
            {Tensor<double>{0, 0, 1.5, 0.5}})
      .edge({Tensor<double>{0, -inf, 0}}, Tensor<double>{0, 0, two}, {Tensor<double>{2.5, 0, 0.5}})
      .edge({Tensor<double>{1e4, 1e4}}, Tensor<double>{1e4, 1e4 + two}, {Tensor<double>{1.5, 0.5}})
      .edge({Tensor<double>{0, inf, 0, inf}}, Tensor<double>{0, inf, inf, inf},
            {Tensor<double>{1, 2.5, 0, 0.5}})
      .edge({Tensor<double>{1, nan, 1}}, Tensor<double>{1, nan, nan}, {})
      .edge({none}, none, {});
}

}  // namespace fjord::test
