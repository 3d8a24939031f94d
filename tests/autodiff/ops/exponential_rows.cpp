#include <cmath>

#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_exponential_rows(Rows& rows) {
  const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
  rows.unary(
          "exp", [](const auto& x) { return exp(x); }, [](double x) { return std::exp(x); }, some)
      .edge(-inf, 0, 0)
      .edge(inf, inf, inf)
      .edge(nan, nan, nan);
  rows.unary(
          "log", [](const auto& x) { return log(x); }, [](double x) { return std::log(x); },
          {0.5, 0.9, 1.3, 3.7})
      .edge(0, -inf, inf)
      .edge(inf, inf, 0);
}

}  // namespace fjord::test
