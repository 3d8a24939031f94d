/// Every adaptive method on the DETEST problems.
#include "fjord/tests/support/detest.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "fjord/ode/simulate.hpp"
#include "fjord/tests/ode/detest_errors.hpp"

namespace fjord::ode {
namespace {

using test::DetestProblem;

double error_of(const std::vector<double>& y, const std::vector<double>& end) {
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    worst = std::max(worst, std::abs(y[i] - end[i]) / (1 + std::abs(end[i])));
  return worst;
}

// The bound is twice the error of the independent run and a tenth of the tolerance: rounding
// errors, which depend on the processor, change the steps, and these the part of the error that is
// left. In A1, C2, C3 and C4 stability limits the steps: the error is what is left of parts that
// grow and decay by turns, from rounding errors on, so that two runs have in common only that it is
// within ten tolerances: starts that differ by 1e-15 give up to nine.
TEST_CASE("detest: errors are at most twice those of an independent program") {
  constexpr std::array tolerances{1e-3, 1e-6, 1e-9};
  const std::set<std::string> decays{"A1", "C2", "C3", "C4"};
  const std::vector<DetestProblem> problems = test::detest_problems();
  REQUIRE(problems.size() == 25);
  for (const test::DetestErrors& expected : test::detest_errors) {
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t i = 0; i < 25; ++i) {
        CAPTURE(expected.method);
        CAPTURE(tolerances[k]);
        CAPTURE(problems[i].name);
        SolveOptions options;
        options.method = &method_named(expected.method);
        options.rtol = options.atol = tolerances[k];
        options.max_steps = 100'000;
        const Simulation s = simulate(problems[i].f, problems[i].y0, {0, 20}, options);
        CAPTURE(s.report.message());
        const int tenths = expected.tenths_of_decades[k][i];
        CHECK((s.report.status == Status::success) == (tenths != 99));
        if (tenths == 99) continue;
        REQUIRE(s.y.size() == problems[i].end.size());
        const bool is_decay = decays.contains(problems[i].name);
        const double error =
            std::max(std::pow(10, tenths / 10.0), is_decay ? 5 * tolerances[k] : 0);
        CHECK(error_of(s.y, problems[i].end) < 2 * error + tolerances[k] / 10 + 1e-12);
      }
    }
  }
}

TEST_CASE("detest: the independent program ran every method that estimates its error") {
  for (const Method* method : methods()) {
    const auto is_same = [&](const test::DetestErrors& e) { return e.method == method->name(); };
    CHECK(std::ranges::count_if(test::detest_errors, is_same) ==
          (method->error_order() > 0 ? 1 : 0));
  }
}

}  // namespace
}  // namespace fjord::ode
