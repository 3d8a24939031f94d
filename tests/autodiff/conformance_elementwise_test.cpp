// Elementwise derivatives that are published, or that other systems get wrong, with their numbers.
#include <functional>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/tests/support/routes.hpp"

namespace fjord::test {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// The first, second and third derivative of a function of one number.
struct Case {
  std::string name;
  Function<double> f;
  double at;
  std::vector<double> derivatives;
};

// Numbers of mpmath 1.3, 40 digits, rounded to double.
std::vector<Case> cases() {
  return {
      {"tanh",
       [](const auto& x) { return tanh(x); },
       20,
       {1.6993417021166355e-17, -3.398683404233271e-17, 6.797366808466542e-17}},
      {"sigmoid",
       [](const auto& x) { return sigmoid(x); },
       40,
       {4.248354255291589e-18, -4.248354255291589e-18, 4.248354255291589e-18}},
      {"sqrt", [](const auto& x) { return sqrt(x); }, 5e-324, {2.2494568972715982e+161, -inf, inf}},
  };
}

TEST_CASE(
    "conformance: derivatives of one number by every route, to the last digits of tiny ones") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    CAPTURE(c.at);
    for (std::size_t i = 0; i < c.derivatives.size(); ++i) {
      CHECK(wrong_route(c.f, {c.at}, static_cast<int>(i + 1), {c.derivatives[i]}, 4e-15) == "");
    }
  }
}

}  // namespace
}  // namespace fjord::test
