#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/error_function.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

// Numbers that are not of std:: functions are of mpmath 1.4, with 120 digits.
void add_error_function_rows(Rows& rows) {
  const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
  const double slope = 2 * std::numbers::inv_sqrtpi;
  rows.unary(
          "erf", [](const auto& x) { return erf(x); }, [](double x) { return std::erf(x); }, some)
      .edge(0, 0, slope)
      .edge(inf, 1, 0)
      .edge(-inf, -1, 0)
      .edge(1e200, 1, 0)
      .edge(nan, nan, nan);
  rows.unary(
          "erfc", [](const auto& x) { return erfc(x); }, [](double x) { return std::erfc(x); },
          some)
      .edge(0, 1, -slope)
      .edge(inf, 0, 0)
      .edge(-inf, 2, 0)
      .edge(nan, nan, nan);
  rows.add("erfinv", "", [](const auto& x) { return erfinv(x[0]); }, {{-0.6, -0.2, 0.3, 0.5}},
           {{-0.5951160814499948, -0.1791434546212917, 0.2724627147267543, 0.4769362762044699}})
      .edge(0, 0, 1 / slope)
      .edge({{1, -1, 1.5, nan}}, {inf, -inf, nan, nan}, {{inf, inf, nan, nan}})
      .edge(1e-300, 1e-300 / slope, 1 / slope);
  rows.unary(
          "log_normal_cdf", [](const auto& x) { return log_normal_cdf(x); },
          [](double x) { return std::log(0.5 * std::erfc(-x / std::numbers::sqrt2)); },
          {-7.2, -4.1, -1.02, -0.97, -0.4, 0.3, 1.2, 2.6})
      .edge(0, -std::numbers::ln2, 0.7978845608028654)
      .edge(-40, -804.6084420137538, 40.02496884720726)
      .edge(-1e5, -5000000012.431864, 100000.00001)
      .edge(inf, 0, 0)
      .edge(-inf, -inf, inf)
      .edge(nan, nan, nan);
}

}  // namespace fjord::test
