#include "fjord/optim/line_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "fjord/autodiff/errors.hpp"

namespace fjord::optim {
namespace {

// Trial steps stay this part of the interval away from its ends, so that it shrinks.
constexpr double margin = 0.1;
constexpr double growth = 2;

bool is_finite(const LinePoint& p) {
  return std::isfinite(p.value) && std::isfinite(p.slope);
}

// The minimiser of the cubic with the values and slopes of both ends; the middle if there is none.
double trial_between(const LinePoint& a, const LinePoint& b) {
  const double middle = (a.step + b.step) / 2;
  if (!is_finite(b)) return middle;
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double d2 =
      std::copysign(std::sqrt(std::max(0.0, d1 * d1 - a.slope * b.slope)), b.step - a.step);
  const double trial =
      b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  if (!std::isfinite(trial)) return middle;
  const auto [low, high] = std::minmax(a.step, b.step);
  const double away = margin * (high - low);
  return std::clamp(trial, low + away, high - away);
}

class Search final {
 public:
  Search(const std::function<LinePoint(double)>& evaluate, const LinePoint& start,
         const LineSearchOptions& options)
      : evaluate_(evaluate), start_(start), options_(options) {}

  LinePoint run(double first_step) {
    LinePoint last = start_;
    double step = first_step;
    while (has_evaluations()) {
      const LinePoint p = next(step);
      if (is_too_long(p, last)) return zoom(last, p);
      if (is_flat(p)) return p;
      if (p.slope >= 0) return zoom(p, last);
      last = p;
      step = growth * p.step;
    }
    return last;
  }

 private:
  bool has_evaluations() const { return evaluations_ < options_.max_evaluations; }

  LinePoint next(double step) {
    ++evaluations_;
    return evaluate_(step);
  }

  // Whether there is a minimum between the better point and this one.
  bool is_too_long(const LinePoint& p, const LinePoint& better) const {
    return !is_finite(p) || p.value > start_.value + options_.decrease * p.step * start_.slope ||
           (better.step > 0 && p.value >= better.value);
  }

  bool is_flat(const LinePoint& p) const {
    return std::abs(p.slope) <= -options_.curvature * start_.slope;
  }

  // `best` has the lowest value so far of the points with enough decrease, and falls towards `end`.
  LinePoint zoom(LinePoint best, LinePoint end) {
    constexpr double shortest = std::numeric_limits<double>::epsilon();
    while (has_evaluations() && std::abs(end.step - best.step) > shortest * end.step) {
      const LinePoint p = next(trial_between(best, end));
      if (is_too_long(p, best)) {
        end = p;
        continue;
      }
      if (is_flat(p)) return p;
      if (p.slope * (end.step - best.step) >= 0) end = best;
      best = p;
    }
    return best;
  }

  const std::function<LinePoint(double)>& evaluate_;
  LinePoint start_;
  LineSearchOptions options_;
  int evaluations_ = 0;
};

}  // namespace

void check_line_search(const char* op, const LineSearchOptions& options) {
  require(options.decrease > 0 && options.decrease < 1, op,
          [&] { return "decrease must be in (0, 1), got " + std::to_string(options.decrease); });
  require(options.curvature > options.decrease && options.curvature < 1, op, [&] {
    return "curvature must be in (decrease, 1), got " + std::to_string(options.curvature);
  });
  require(options.max_evaluations > 0, op, [&] {
    return "max_evaluations must be positive, got " + std::to_string(options.max_evaluations);
  });
}

LinePoint strong_wolfe(const std::function<LinePoint(double)>& evaluate, const LinePoint& start,
                       double first_step, const LineSearchOptions& options) {
  return Search(evaluate, start, options).run(first_step);
}

}  // namespace fjord::optim
