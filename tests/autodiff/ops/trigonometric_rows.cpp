#include <cmath>

#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_trigonometric_rows(Rows& rows) {
  const std::vector<double> some{-1.7, -0.4, 0.3, 1.2, 2.6};
  rows.unary(
          "sin", [](const auto& x) { return sin(x); }, [](double x) { return std::sin(x); }, some)
      .edge(0, 0, 1);
  rows.unary(
          "cos", [](const auto& x) { return cos(x); }, [](double x) { return std::cos(x); }, some)
      .edge(0, 1, 0);
}

}  // namespace fjord::test
