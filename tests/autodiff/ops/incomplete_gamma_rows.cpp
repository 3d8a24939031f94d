#include "fjord/autodiff/ops/incomplete_gamma.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

// Numbers of mpmath 1.4, with 60 digits; tests/autodiff/incomplete_gamma_test.cpp has derivatives.
void add_incomplete_gamma_rows(Rows& rows) {
  const Tensors points{{{0.4}, {2.5}, {12}}, {0.3, 2, 14}};
  const Tensors unlike{Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})};
  rows.add("gammainc", "", [](const auto& v) { return gammainc(v[0], v[1]); }, points,
           {{{0.64149014341024183, 0.96714719523903332, 0.99999992602740375},
             {0.011996757205906265, 0.45058404864721977, 0.99996360123309419},
             {8.4130249926545008e-16, 1.3646151596151953e-6, 0.73996007754056618}}})
      .with_h(2e-3)
      .with_tolerance(1e-13, 2e-5)
      .edge({{2, 0.5, 1, 2, 3}, {0, 0, 0, inf, 0}}, {0, 0, 0, 1, 0},
            {{0, 0, 0, 0, 0}, {0, inf, 1, 0, 0}})
      .edge({{0, 0, inf, inf, -1, 2, nan}, {3, 0, 1, inf, 1, -1, 1}},
            {1, nan, 0, nan, nan, nan, nan}, {})
      .reject(unlike);
  rows.add("gammaincc", "", [](const auto& v) { return gammaincc(v[0], v[1]); }, points,
           {{{0.35850985658975817, 0.032852804760966682, 7.3972596246749424e-8},
             {0.98800324279409373, 0.54941595135278023, 3.639876690580866e-5},
             {0.99999999999999916, 0.99999863538484038, 0.26003992245943382}}})
      .with_h(2e-3)
      .with_tolerance(1e-13, 2e-5)
      .edge({{2, 0.5, 1, 2}, {0, 0, 0, inf}}, {1, 1, 1, 0}, {{0, 0, 0, 0}, {0, -inf, -1, 0}})
      .edge({{0, 0, inf, inf, -1, 2, nan}, {3, 0, 1, inf, 1, -1, 1}},
            {0, nan, 1, nan, nan, nan, nan}, {})
      .reject(unlike);
  rows.add("betainc", "", [](const auto& v) { return betainc(v[0], v[1], v[2]); },
           {{{{0.7}}, {{4}}}, {{0.6}, {12}}, {0.1, 0.35, 0.8}},
           {{{{0.13461781172393203, 0.3399972311817914, 0.69816648688846988},
              {0.82159632093978418, 0.99728021616044537, 0.99999999842184059}},
             {{3.8713147092909638e-5, 0.0064180053839481525, 0.23846532420240197},
              {0.05555563000753601, 0.82730351283051585, 0.999998988746752}}}})
      .with_h(1e-3)
      .with_tolerance(1e-13, 2e-5)
      .edge({{2, 0.5, 2, 2}, {3, 3, 3, 0.5}, {0, 0, 1, 1}}, {0, 0, 1, 1},
            {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, inf, 0, inf}})
      .edge({{0, 2, 0, inf, 2, -1, 2, 2, nan},
             {2, 0, 0, 2, inf, 2, 2, 2, 2},
             {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, -0.1, 1.1, 0.5}},
            {1, 0, nan, 0, 1, nan, nan, nan, nan}, {})
      .reject({unlike[0], unlike[1], unlike[0]});
}

}  // namespace fjord::test
