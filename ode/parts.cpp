#include "fjord/ode/parts.hpp"

#include <algorithm>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/check_options.hpp"
#include "fjord/ode/occurrence.hpp"
#include "fjord/ode/run.hpp"
#include "fjord/ode/step_plans.hpp"

namespace fjord::ode {
namespace {

// What a solve of values finds: its end, and where events are.
struct Course {
  struct Found {
    std::size_t event;
    double t;
    double begin;  // of the step that it is in
  };

  Status status = Status::success;
  double end = 0;
  std::vector<Found> found = {};
  std::size_t evaluations = 0;
};

template <class T>
class Parts final {
 public:
  Parts(const GradientMode& mode, const Problem<T>& problem, const SolveOptions& options)
      : mode_(mode),
        problem_(problem),
        options_(options),
        forward_(problem.span.t1 >= problem.span.t0),
        t_(problem.span.t0),
        y_(problem.y0) {}

  Solution<T> run() {
    const bool is_searched = !problem_.events.empty() || problem_.on_step;
    const Course course = is_searched ? course_of() : Course{Status::success, problem_.span.t1};
    solution_.report.evaluations = course.evaluations;
    auto found = course.found.begin();
    const auto occur_until = [&](double t) {
      for (; found != course.found.end() && !is_after(found->begin, t); ++found) {
        if (!occur(*found)) return false;
      }
      return true;
    };
    for (const double t : options_.save_at) {
      if (is_after(t, course.end)) break;
      if (!occur_until(t) || !go_to(t)) return solution_;
      solution_.times.push_back(t);
      const Var<T> time = y_.tape().scalar(static_cast<T>(t));
      solution_.states.push_back(problem_.output ? problem_.output(time, y_) : y_);
    }
    if (!occur_until(course.end) || !go_to(course.end)) return solution_;
    solution_.report.status = course.status;
    if (ends_at_event(problem_, solution_.occurrences))
      solution_.y = solution_.occurrences.back().y;
    return solution_;
  }

 private:
  bool is_after(double a, double b) const { return forward_ ? a > b : a < b; }

  Course course_of() const {
    const RewindScope<T> scope(problem_.y0.tape());
    SolveOptions options = options_;
    options.save_at = {};
    StepEnds<T> ends;
    NodeObserver<T>* const observer = &ends;
    const Solution<T> values =
        ode::run<T>({problem_.f, problem_.y0, problem_.span, {}, problem_.events, problem_.on_step},
                    options, Recording::none, std::span(&observer, 1));
    Course course{values.report.status, values.report.t, {}, values.report.evaluations};
    for (const Occurrence<T>& occurrence : values.occurrences) {
      const auto t = static_cast<double>(occurrence.t.item());
      const auto end = std::find_if(ends.times.begin(), ends.times.end(),
                                    [&](double time) { return !is_after(t, time); });
      const double begin = end == ends.times.begin() ? problem_.span.t0 : *(end - 1);
      course.found.push_back({occurrence.event, t, begin});
    }
    return course;
  }

  // Whether the parts to t succeeded. Where t0 moves, they end at jumps, too, which do not.
  bool go_to(double t) {
    for (const double jump : options_.jumps) {
      if (moves() && is_after(jump, t_) && is_after(t, jump) && !solve_to(jump)) return false;
    }
    return solve_to(t);
  }

  bool solve_to(double t) {
    Report& report = solution_.report;
    // Where t1 moves, one part ends there even if it has no length.
    const bool is_end = moves() && t == problem_.span.t1;
    if (t == t_ && (!is_end || has_ended_)) {
      solution_.y = y_;
      report.t = t;
      return true;
    }
    const TimeSpan span{t_, t};
    SolveOptions options = within(options_, span);
    options.save_at = {};
    const std::size_t made = report.accepted + report.rejected;
    if (made >= options.max_steps) {
      report.status = Status::max_steps;
      return false;
    }
    options.max_steps -= made;
    if (t_ != problem_.span.t0) options.first_step = report.next_step;
    Problem<T> part{problem_.f, y_, span};
    if (moves()) part.times = {time_at(t_, problem_.times.t0), time_at(t, problem_.times.t1)};
    const Solution<T> solution = mode_.solve(part, options);
    report.status = solution.report.status;
    report.t = solution.report.t;
    report.evaluations += solution.report.evaluations;
    report.accepted += solution.report.accepted;
    report.rejected += solution.report.rejected;
    report.next_step = solution.report.next_step;
    solution_.y = y_ = solution.y;
    t_ = t;
    has_ended_ = is_end;
    return report.status == Status::success;
  }

  // Whether the parts to the step that it is in succeeded.
  bool occur(const Course::Found& found) {
    if (!go_to(found.begin)) return false;
    solution_.occurrences.push_back(
        with_derivatives(problem_, options_, found.event, found.t, StateBefore<T>{t_, y_}));
    return true;
  }

  bool moves() const { return !problem_.times.t1.is_empty(); }

  // The end of the whole solve moves, times between do not.
  Var<T> time_at(double t, const Var<T>& end) const {
    return t == (end.index() == problem_.times.t0.index() ? problem_.span.t0 : problem_.span.t1)
               ? end
               : problem_.y0.tape().scalar(static_cast<T>(t));
  }

  const GradientMode& mode_;
  const Problem<T>& problem_;
  const SolveOptions& options_;
  bool forward_;
  double t_;
  Var<T> y_;
  bool has_ended_ = false;  // at a t1 that moves
  Solution<T> solution_;
};

}  // namespace

template <class T>
Solution<T> solve_in_parts(const GradientMode& mode, const Problem<T>& problem,
                           const SolveOptions& options) {
  require(!options.save_steps, "solve",
          "save_steps needs the gradient mode direct or values_only, without derivatives "
          "in the times; give the times of the states in save_at");
  const Var<T>& y0 = problem.y0;
  check_options(options, problem.span, y0.tape().node(y0, "solve").shape.size,
                static_cast<double>(std::numeric_limits<T>::denorm_min()));
  return Parts<T>(mode, problem, options).run();
}

#define FJORD_INSTANTIATE(T) \
  template Solution<T> solve_in_parts(const GradientMode&, const Problem<T>&, const SolveOptions&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
