#include "fjord/ode/check_options.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::ode {
namespace {

void check_positive(const char* name, const std::optional<double>& number) {
  require(!number || (*number > 0 && std::isfinite(*number)), "solve",
          [&] { return std::string(name) + " must be positive, got " + short_number(*number); });
}

void check_times(const char* name, const std::vector<double>& times, TimeSpan span) {
  const double direction = span.t1 >= span.t0 ? 1 : -1;
  double last = span.t0;
  for (const double t : times) {
    require(direction * (t - last) >= 0 && direction * (span.t1 - t) >= 0, "solve", [&] {
      return std::string(name) +
             " must be in the order of the solve from t0 = " + short_number(span.t0) +
             " to t1 = " + short_number(span.t1) + ", got " + short_number(t) +
             (t == times.front() ? "" : " after " + short_number(last));
    });
    last = t;
  }
}

void check_entries(const char* name, const std::vector<double>& numbers, Index size,
                   double smallest) {
  if (numbers.empty()) return;
  require(static_cast<Index>(numbers.size()) == size, "solve", [&] {
    return std::string(name) + " must have a number for each of the state's " +
           std::to_string(size) + " entries, got " + std::to_string(numbers.size());
  });
  const auto bad = std::find_if_not(numbers.begin(), numbers.end(),
                                    [&](double x) { return x >= smallest && std::isfinite(x); });
  require(bad == numbers.end(), "solve", [&] {
    return std::string(name) + " must be " + (smallest > 0 ? "positive" : "at least 0") + ", got " +
           short_number(*bad);
  });
}

}  // namespace

void check_options(const SolveOptions& options, TimeSpan span, Index size, double smallest) {
  require(std::isfinite(span.t0) && std::isfinite(span.t1) && std::isfinite(span.t1 - span.t0),
          "solve", [&] {
            return "t0, t1 and their difference must be finite, got " + short_number(span.t0) +
                   " and " + short_number(span.t1);
          });
  require(options.rtol >= 0 && std::isfinite(options.rtol), "solve",
          [&] { return "rtol must be at least 0, got " + short_number(options.rtol); });
  require(options.atol >= smallest && std::isfinite(options.atol), "solve", [&] {
    return "atol must be positive in the precision of the state, got " + short_number(options.atol);
  });
  check_entries("rtol_of_entries", options.rtol_of_entries, size, 0);
  check_entries("atol_of_entries", options.atol_of_entries, size, smallest);
  check_positive("first_step", options.first_step);
  check_positive("smallest_step", options.smallest_step);
  check_positive("largest_step", options.largest_step);
  check_positive("fixed_step", options.fixed_step);
  require(!options.smallest_step || !options.largest_step ||
              *options.smallest_step <= *options.largest_step,
          "solve", [&] {
            return "smallest_step must be at most largest_step, got " +
                   short_number(*options.smallest_step) + " and " +
                   short_number(*options.largest_step);
          });
  require(options.max_steps > 0, "solve", "max_steps must be positive, got 0");
  check_times("grid", options.grid, span);
  check_times("step_on", options.step_on, span);
  check_times("jumps", options.jumps, span);
  check_times("save_at", options.save_at, span);
  require(options.save_at.empty() || !options.save_steps, "solve",
          "save_at and save_steps both say which states to hold; set one of them");
  require(options.controller != nullptr, "solve",
          "controller must be a controller, got a null pointer");
  require(options.method != nullptr, "solve", "method must be a method, got a null pointer");
  require(options.method->error_order() > 0 || options.fixed_step || !options.grid.empty(), "solve",
          [&] {
            return "the method " + std::string(options.method->name()) +
                   " estimates no error to choose steps by; set fixed_step or grid";
          });
  require(options.jumps.empty() || !options.method->leaves_step(), "solve", [&] {
    return "the method " + std::string(options.method->name()) +
           " asks for times beyond its steps, so that jumps cannot be given with it; use leapfrog";
  });
  require(!options.fixed_step || options.grid.empty(), "solve",
          "fixed_step and grid both say where steps end; set one of them");
}

}  // namespace fjord::ode
