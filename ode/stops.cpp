#include "fjord/ode/stops.hpp"

#include <algorithm>
#include <limits>

namespace fjord::ode {

SolveOptions within(const SolveOptions& options, TimeSpan span) {
  SolveOptions result = options;
  const auto [first, last] = std::minmax(span.t0, span.t1);
  for (std::vector<double>* times :
       {&result.grid, &result.step_on, &result.jumps, &result.save_at}) {
    std::erase_if(*times,
                  [&, first = first, last = last](double t) { return t < first || t > last; });
    std::ranges::sort(*times);
    if (span.t1 < span.t0) std::ranges::reverse(*times);
  }
  return result;
}

Stops::Stops(TimeSpan span, const SolveOptions& options)
    : span_(span),
      options_(options),
      is_end_only_(!options.fixed_step && options.grid.empty() && options.step_on.empty() &&
                   options.jumps.empty()) {
  if (!options.fixed_step) return;
  const double length = *options.fixed_step;
  constexpr double rounding = 4 * std::numeric_limits<double>::epsilon();
  slack_ = 1e-12 * length + rounding * std::max(std::abs(span.t0), std::abs(span.t1));
  // A last step that is longer by a rounding is not another one.
  fixed_steps_ = std::ceil((std::abs(span.t1 - span.t0) - slack_) / length);
}

double Stops::next_of_several(double t) const {
  double stop = span_.t1;
  const bool forward = span_.t1 > span_.t0;
  const auto is_after = [forward](double a, double b) { return forward ? a < b : a > b; };
  for (const std::vector<double>* times : {&options_.grid, &options_.step_on, &options_.jumps}) {
    const auto first = std::upper_bound(times->begin(), times->end(), t, is_after);
    if (first != times->end() && is_after(*first, stop)) stop = *first;
  }
  if (!options_.fixed_step) return stop;
  const double length = *options_.fixed_step;
  const double step = std::floor((std::abs(t - span_.t0) + slack_) / length) + 1;
  if (step >= fixed_steps_) return stop;
  const double end = span_.t0 + std::copysign(step * length, span_.t1 - span_.t0);
  return std::abs(stop - t) > std::abs(end - t) + slack_ ? end : stop;
}

}  // namespace fjord::ode
