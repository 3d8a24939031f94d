#include <array>

#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_linalg_rows(Rows& rows) {
  const Tensor<double> a{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> b{{1, -1}, {0.5, 2}, {-3, 4}};
  const auto product = [](const auto& v) { return matmul(v[0], v[1]); };
  rows.add("matmul", "", product, {a, b}, {{{-7, 15}, {-11.5, 30}}})
      .reject({a, a})
      .reject({Tensor<double>{1, 2, 3}, b});
  rows.add("matmul", "leading axes", product, {a.reshaped({2, 1, 3}), b},
           {Tensor<double>{{{-7, 15}}, {{-11.5, 30}}}});

  const auto combination = [](const auto& v) {
    static constexpr std::array weights{0.5, 0.0, -2.0, 0.25, 3.0, -1.0};
    return add_combination(v[0], v[1], std::span(weights).first(v.size() - 2),
                           std::span(v).subspan(2));
  };
  const Tensor<double> y{1, 2};
  const Tensor<double> h(0.5);
  const Tensor<double> k{4, -1};
  rows.add("add_combination", "", combination, {y, h, k, k, k}, {Tensor<double>{-2, 2.75}})
      .reject({y, k, k})
      .reject({y, h, a});
  rows.add("add_combination", "six terms", combination, {y, h, k, k, k, k, k, k},
           {Tensor<double>{2.5, 1.625}});
}

}  // namespace fjord::test
