/// What a simulation takes from the heap.
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/ode/simulate.hpp"
#include "fjord/tests/support/counted_new.hpp"

namespace fjord::ode {
namespace {

void pendulums(double t, std::span<const double> y, std::span<double> dydt) {
  const std::size_t half = y.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    dydt[i] = y[half + i];
    dydt[half + i] = std::cos(t) - std::sin(y[i]);
  }
}

struct Counts {
  std::size_t allocations;
  Report report;
};

Counts simulate_until(double t1, const SolveOptions& options) {
  const std::vector<double> y0(10, 0.5);
  const PlainField f = pendulums;
  const std::size_t before = test::allocations();
  const Report report = simulate(f, y0, {0, t1}, options).report;
  return {test::allocations() - before, report};
}

TEST_CASE("allocation: as many in a simulation of many steps as in one of few") {
  for (const Method* method : methods()) {
    CAPTURE(method->name());
    for (const bool is_adaptive : {false, true}) {
      if (is_adaptive && method->error_order() == 0) continue;
      SolveOptions options;
      options.method = method;
      options.max_steps = 1'000'000;
      options.rtol = 1e-4;
      options.atol = 1e-4;
      if (!is_adaptive) options.fixed_step = 0.1;
      options.step_on = {0.25, 0.5};
      if (!method->leaves_step()) options.jumps = {0.3};
      const Counts few = simulate_until(1, options);
      const Counts many = simulate_until(300, options);
      CHECK(few.report.status == Status::success);
      CHECK(many.report.status == Status::success);
      CHECK(many.report.accepted > 10 * few.report.accepted);
      CHECK(many.allocations == few.allocations);
    }
  }
}

TEST_CASE("allocation: none by rejected steps, other controllers, norms and tolerances") {
  for (const Controller* controller : controllers()) {
    for (const ErrorNorm norm : {ErrorNorm::rms, ErrorNorm::largest_row, ErrorNorm::maximum}) {
      SolveOptions options;
      options.controller = controller;
      options.norm = norm;
      options.rtol_of_entries = std::vector<double>(10, 1e-6);
      options.atol_of_entries = std::vector<double>(10, 1e-6);
      options.first_step = 50;
      const Counts few = simulate_until(0.01, options);
      const Counts many = simulate_until(200, options);
      CHECK(many.report.status == Status::success);
      CHECK(many.report.rejected > few.report.rejected);
      CHECK(many.allocations == few.allocations);
    }
  }
}

}  // namespace
}  // namespace fjord::ode
