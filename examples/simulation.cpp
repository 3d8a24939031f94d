#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

#include "fjord/fjord.hpp"

using namespace fjord;

// Lorenz's model of convection, on plain memory: no tape, and no allocation in a step.
void lorenz(double, std::span<const double> y, std::span<double> dydt) {
  dydt[0] = 10 * (y[1] - y[0]);
  dydt[1] = y[0] * (28 - y[2]) - y[1];
  dydt[2] = y[0] * y[1] - 8.0 / 3 * y[2];
}

int main() {
  constexpr std::array start{1.0, 1.0, 1.0};
  ode::SolveOptions options{.rtol = 1e-11, .atol = 1e-11};
  options.save_at = {0, 2.5, 5, 7.5, 10};

  // The third number's maxima: its slope falls through zero.
  ode::Watch watch;
  const auto slope = [](double, std::span<const double> y) { return y[0] * y[1] - 8.0 / 3 * y[2]; };
  watch.events = {{slope, ode::Crossing::falling}};
  double longest = 0;
  double before = 0;
  watch.on_step = [&](double t, std::span<const double>) {
    longest = std::max(longest, t - before);
    before = t;
    return true;  // go on
  };

  const ode::Simulation s = ode::simulate(lorenz, start, {0, 10}, options, watch);
  for (std::size_t i = 0; i < s.times.size(); ++i) {
    const double* y = &s.states[i * start.size()];
    std::printf("t = %4.1f: %9.5f %9.5f %9.5f\n", s.times[i], y[0], y[1], y[2]);
  }
  std::printf("%zu maxima, the last of %.5f at t = %.5f\n", s.occurrences.size(),
              s.occurrences.back().y[2], s.occurrences.back().t);
  std::printf("%zu steps, %zu rejected, %zu evaluations, longest step %.3f\n", s.report.accepted,
              s.report.rejected, s.report.evaluations, longest);
  if (s.report.status != ode::Status::success) std::printf("%s\n", s.report.message().c_str());
}
