#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/gamma.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// Where recurrences, reflection and series meet; numbers of mpmath 1.4, with 120 digits.
const Tensor<double> some{0.8, 3.5, 25, -0.7, -3.4};

}  // namespace

void add_gamma_rows(Rows& rows) {
  const Tensors negative_whole{{-1, -4}};
  rows.add("lgamma", "", [](const auto& x) { return lgamma(x[0]); }, {some},
           {{0.15205967839983756, 1.2009736023470743, 54.78472939811232, 1.4524729387568078,
             -1.1211918156538383}})
      .with_h(5e-3)
      .edge(1, 0, -std::numbers::egamma)
      .edge(6, std::log(120), 137.0 / 60 - std::numbers::egamma)
      .edge(0, inf, -inf)
      .edge(negative_whole, {inf, inf}, {{nan, nan}})
      .edge(inf, inf, inf)
      .edge(nan, nan, nan);
  rows.add("digamma", "", [](const auto& x) { return digamma(x[0]); }, {some},
           {{-0.9650085667061383, 1.103156640645243, 3.198742512851974, -2.073952793628704,
             2.384450814118015}})
      .with_h(4e-3)
      .edge(1, -std::numbers::egamma, std::numbers::pi * std::numbers::pi / 6)
      .edge(0, -inf, inf)
      .edge(-0.0, inf, inf)
      .edge(negative_whole, {nan, nan}, {{inf, inf}})
      .edge(inf, inf, 0)
      .edge(nan, nan, nan);
  rows.add("polygamma", "order 0", [](const auto& x) { return polygamma(0, x[0]); }, {some},
           {{-0.9650085667061383, 1.103156640645243, 3.198742512851974, -2.073952793628704,
             2.384450814118015}})
      .with_h(4e-3);
  rows.add("polygamma", "order 1", [](const auto& x) { return polygamma(1, x[0]); }, {some},
           {{2.2994741375017, 0.3303577561002349, 0.04081066325722558, 14.28618087263834,
             10.656530053957542}})
      .with_h(4e-3)
      .edge(0, inf, -inf)
      .edge(negative_whole, {inf, inf}, {{nan, nan}})
      .edge(inf, 0, 0)
      .edge(nan, nan, nan);
  rows.add("polygamma", "order 4", [](const auto& x) { return polygamma(4, x[0]); }, {some},
           {{-74.69886623939136, -0.06799599950673137, -1.662971425007893e-05, -9740.670911658104,
             2037.3739248405475}})
      .with_h(2e-3);
  rows.add("betaln", "", [](const auto& x) { return betaln(x[0], x[1]); },
           {{{0.9}, {3.2}, {11}, {30}}, {0.8, 1.7, 20}},
           {{{0.31424361554164637, -0.38684332122130266, -2.62754788603242},
             {-0.7542949636733086, -2.2389597706294975, -8.869497976400996},
             {-1.7590514470605794, -4.224438303901639, -20.213939588555156},
             {-2.5662405266803807, -5.8974164316018625, -33.968820791977386}}})
      .edge({{1e10, 1e10, 30, 0.5}, {1, 2.5, 20, 0.7}},
            {-23.025850929940457, -57.27994445456572, -33.968820791977386, 0.9186062794596825},
            {{-1e-10, -2.4999999998125e-10, -0.5175515407423673, -1.6744701294292352},
             {-23.603066594891988, -22.322694289495214, -0.9314656811857431, -0.9309836571057464}})
      .edge({{0, -1, nan}, {2, 2, 2}}, {inf, nan, nan}, {})
      .reject({Tensor<double>::ones({2, 3}), Tensor<double>::ones({2})});
}

}  // namespace fjord::test
